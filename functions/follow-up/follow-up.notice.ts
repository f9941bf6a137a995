import { followUpInstance } from "../../shared/contracts/job-ids.ts";
import type { Notice } from "../notify/notify.contract.ts";
import type { FollowUpInput, FollowUpResult } from "./follow-up.contract.ts";

/** Outcomes of a step that somebody should look into. */
const BAD: readonly string[] = ["damaged", "failed"];

/** The notice of a follow-up; `undefined` when all is well. */
export const followUpNotice = (
  { mailboxKey, snapshotId }: Pick<FollowUpInput, "mailboxKey" | "snapshotId">,
  result: FollowUpResult,
): Notice | undefined => {
  if (!Object.values(result).some((outcome) => BAD.includes(outcome))) return undefined;
  const id = followUpInstance(mailboxKey, snapshotId);
  return {
    id,
    title: result.verify === "damaged" ? "A new snapshot is damaged" : "What follows a snapshot did not go well",
    isProblem: true,
    facts: [
      { name: "Mailbox", value: mailboxKey },
      { name: "Snapshot", value: snapshotId },
      ...Object.entries(result).map(([name, value]) => ({ name, value })),
      { name: "Job", value: id },
    ],
  };
};
