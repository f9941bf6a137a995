import type { OrchestrationContext, Task } from "durable-functions";
import type { MailboxKey } from "../../shared/contracts/ids.ts";
import { verifySnapshotInstance } from "../../shared/contracts/job-ids.ts";
import { call } from "../../shared/durable/activity.ts";
import { notifyPeople } from "../notify/notify.steps.ts";
import { compactMailbox, retainMailbox } from "../retention/retention.contract.ts";
import { VerifyTotals, type VerifyVaultInput } from "../verify/verify.contract.ts";
import { FollowUpInput, type FollowUpResult } from "./follow-up.contract.ts";
import { followUpNotice } from "./follow-up.notice.ts";

/** Most calls that remove blobs; the nightly clean-up removes the rest. */
const MAX_ROUNDS = 20;

/**
 * Follows a new snapshot: verifies it, compacts the mailbox's chain if that is due, then forgets and prunes. A step
 * that fails does not stop the others, but nothing is removed unless the snapshot is known to be sound. Notifies people
 * of damage and failures.
 */
export function* followUpSnapshot(context: OrchestrationContext): Generator<Task, FollowUpResult, unknown> {
  const input = FollowUpInput.parse(context.df.getInput());
  const { mailboxKey } = input;
  const result: FollowUpResult = { verify: "waiting", compact: "waiting", retain: "waiting" };
  const show = () => context.df.setCustomStatus({ ...result });

  show();
  result.verify = yield* orFailed(verify(context, input));
  show();
  result.compact = yield* orFailed(compact(context, mailboxKey));
  show();
  result.retain = result.verify === "sound" ? yield* orFailed(retain(context, mailboxKey)) : "withheld";
  show();
  const notice = followUpNotice(input, result);
  if (notice !== undefined) yield* notifyPeople(context, notice);
  return result;
}

/** How a step ended. The reason of a failure is in the history of the activity or part that failed. */
function* orFailed(step: Generator<Task, string, unknown>): Generator<Task, string, unknown> {
  try {
    return yield* step;
  } catch {
    return "failed";
  }
}

function* verify(
  context: OrchestrationContext,
  { mailboxKey, snapshotId }: FollowUpInput,
): Generator<Task, string, unknown> {
  const input: VerifyVaultInput = { scope: { mailbox: mailboxKey, snapshot: snapshotId } };
  const id = verifySnapshotInstance(mailboxKey, snapshotId);
  const { problems } = VerifyTotals.parse(yield context.df.callSubOrchestrator("verify-vault", input, id));
  return problems === 0 ? "sound" : "damaged";
}

function* compact(context: OrchestrationContext, mailboxKey: MailboxKey): Generator<Task, string, unknown> {
  return (yield* call(context, compactMailbox, { mailboxKey })).outcome;
}

function* retain(context: OrchestrationContext, mailboxKey: MailboxKey): Generator<Task, string, unknown> {
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    const { outcome } = yield* call(context, retainMailbox, { mailboxKey });
    if (outcome !== "more") return outcome;
  }
  return "more";
}
