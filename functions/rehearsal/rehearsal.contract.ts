import * as z from "zod";
import { RunId, SnapshotId } from "../../shared/contracts/ids.ts";
import { MailboxRef } from "../../shared/contracts/mailbox.ts";
import { defineActivity } from "../../shared/durable/activity.ts";

const Count = z.int().nonnegative();

const OUTAGE_RETRY = { firstIntervalMs: 10_000, attempts: 5, backoff: 2 };

/** A rehearsal: the id of its plan, the id of the restore that carries it out, and its day. */
export const Rehearsal = z.object({ rehearsalId: RunId, restoreId: RunId, date: z.iso.date() });
export type Rehearsal = z.output<typeof Rehearsal>;

/** Removes what earlier rehearsals left behind, takes the sample of the day, and plans its restore. */
export const openRehearsal = defineActivity({
  name: "open-rehearsal",
  input: Rehearsal,
  output: z.object({
    /** The mailbox that takes rehearsals. */
    mailbox: MailboxRef,
    items: Count,
    /** The snapshot of the sample's first item; absent without items. */
    snapshotId: SnapshotId.optional(),
  }),
  retry: OUTAGE_RETRY,
});

/** What became of the items of a rehearsal. `extra` are live items in its folders that it did not restore. */
export const RehearsalCounts = z.object({
  items: Count,
  same: Count,
  different: Count,
  missing: Count,
  extra: Count,
  damagedMailboxes: Count,
});
export type RehearsalCounts = z.output<typeof RehearsalCounts>;

/** Compares the restored items with the sample, writes the report, and removes the rehearsal's folder. */
export const closeRehearsal = defineActivity({
  name: "close-rehearsal",
  input: Rehearsal.extend({ mailbox: MailboxRef }),
  output: RehearsalCounts.extend({
    /** Whether every item of the sample came back as it was, and nothing else. */
    proved: z.boolean(),
  }),
  retry: OUTAGE_RETRY,
});
export type RehearsalResult = z.output<typeof closeRehearsal.output>;

export const RehearseRestoreInput = z.object({ date: z.iso.date() });
export type RehearseRestoreInput = z.output<typeof RehearseRestoreInput>;
