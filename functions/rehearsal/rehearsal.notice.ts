import { rehearsalInstance, restoreInstance } from "../../shared/contracts/job-ids.ts";
import type { Notice } from "../notify/notify.contract.ts";
import type { Rehearsal, RehearsalResult } from "./rehearsal.contract.ts";

/** The notice of a rehearsal that did not prove that backups restore. */
export const unprovedNotice = (
  rehearsal: Rehearsal,
  { items, same, different, missing, extra, damagedMailboxes }: RehearsalResult,
): Notice => ({
  id: rehearsalInstance(rehearsal.date),
  title: "The restore rehearsal did not bring back what was backed up",
  isProblem: true,
  facts: [
    { name: "Day", value: rehearsal.date },
    {
      name: "Items",
      value: `${items} drawn, ${same} the same, ${different} different, ${missing} missing, ${extra} more`,
    },
    { name: "Damaged", value: `${damagedMailboxes} mailboxes` },
    { name: "Restore", value: restoreInstance(rehearsal.restoreId) },
  ],
});

/** The notice of a rehearsal that broke off. */
export const brokenRehearsalNotice = (rehearsal: Rehearsal): Notice => ({
  id: rehearsalInstance(rehearsal.date),
  title: "The restore rehearsal broke off",
  isProblem: true,
  facts: [
    { name: "Day", value: rehearsal.date },
    { name: "Why", value: `See the job ${rehearsalInstance(rehearsal.date)}` },
  ],
});
