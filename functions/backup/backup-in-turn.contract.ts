import * as z from "zod";
import { RunId } from "../../shared/contracts/ids.ts";
import { MailboxRef, Trigger } from "../../shared/contracts/mailbox.ts";
import { defineActivity } from "../../shared/durable/activity.ts";
import { Generation } from "../jobs/generation.contract.ts";
import { BackupOutcomes } from "./backup.contract.ts";

const Count = z.int().nonnegative();

/** For crashes and outages. */
const OUTAGE_RETRY = { firstIntervalMs: 10_000, attempts: 5, backoff: 2 };

/** What a place has come to that has taken no mailbox. */
export const NO_OUTCOMES: BackupOutcomes = {
  complete: 0,
  partial: 0,
  failed: 0,
  goesOn: 0,
  failures: [],
  items: 0,
  bytes: 0,
};

/** What a place of the window has come to, before one of its turns. */
export const BackupTurn = z.object({ turn: Count, outcomes: BackupOutcomes });
export type BackupTurn = z.output<typeof BackupTurn>;

/**
 * Takes the next mailbox from the queue: none when the queue is empty, or when a backup of it is alive. That is `own`
 * where this turn began it, before its place was lost, and `busy` otherwise.
 */
export const takeMailbox = defineActivity({
  name: "take-mailbox",
  input: BackupTurn.extend({ tenantRun: RunId, place: Count }),
  output: z.object({
    mailbox: MailboxRef.optional(),
    busy: z.literal(true).optional(),
    own: z.literal(true).optional(),
  }),
  retry: OUTAGE_RETRY,
});

/** What the places of a window have come to: nothing for those that are filled for the first time. */
export const findBackupPlaces = defineActivity({
  name: "find-backup-places",
  input: z.object({ tenantRun: RunId, places: Count }),
  output: z.object({ turns: z.array(BackupTurn) }),
  retry: OUTAGE_RETRY,
});

/** One place of the window, which backs up mailboxes from the queue, one after the other. */
export const BackupInTurnInput = Generation.extend({
  ...BackupTurn.shape,
  tenantRun: RunId,
  trigger: Trigger,
  full: z.boolean(),
  place: Count,
  /** When it takes no more mailboxes, and waits no longer for one. */
  until: z.iso.datetime().optional(),
});
export type BackupInTurnInput = z.output<typeof BackupInTurnInput>;
