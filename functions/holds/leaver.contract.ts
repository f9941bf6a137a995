import * as z from "zod";
import { MailboxRef } from "../../shared/contracts/mailbox.ts";
import { defineActivity } from "../../shared/durable/activity.ts";

const OUTAGE_RETRY = { firstIntervalMs: 10_000, attempts: 5, backoff: 2 };

/** Keeps retention away from the mailbox of someone who leaves. */
export const holdLeaver = defineActivity({
  name: "hold-leaver",
  input: z.object({ mailbox: MailboxRef }),
  output: z.object({ until: z.iso.datetime().optional() }),
  retry: OUTAGE_RETRY,
});

/** Starts a backup of one mailbox, unless something is backing it up, or may be about to: then it is `busy`. */
export const startLastBackup = defineActivity({
  name: "start-last-backup",
  input: z.object({ mailbox: MailboxRef }),
  output: z.object({ outcome: z.enum(["started", "busy"]) }),
  retry: OUTAGE_RETRY,
});

/** The mailboxes of someone who leaves: their own, and their archive. */
export const ProtectLeaverInput = z.object({ mailboxes: z.array(MailboxRef).min(1) });
export type ProtectLeaverInput = z.output<typeof ProtectLeaverInput>;

/** How many of their mailboxes are held, and of how many a last backup was started. */
export const ProtectLeaverResult = z.object({ held: z.int().nonnegative(), started: z.int().nonnegative() });
export type ProtectLeaverResult = z.output<typeof ProtectLeaverResult>;
