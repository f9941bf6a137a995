import * as z from "zod";
import { MailboxRef } from "../../shared/contracts/mailbox.ts";
import { defineActivity } from "../../shared/durable/activity.ts";
import { Generation } from "../jobs/generation.contract.ts";

const Count = z.int().nonnegative();

const OUTAGE_RETRY = { firstIntervalMs: 10_000, attempts: 5, backoff: 2 };

/** Holds the mailbox of someone who leaves, so that retention removes nothing of it. */
export const holdLeaver = defineActivity({
  name: "hold-leaver",
  input: z.object({ mailbox: MailboxRef }),
  output: z.object({ until: z.iso.datetime().optional() }),
  retry: OUTAGE_RETRY,
});

/** Starts a backup of one mailbox. `busy`: a backup of it is alive, or may start at any moment. */
export const startLastBackup = defineActivity({
  name: "start-last-backup",
  input: z.object({ mailbox: MailboxRef }),
  output: z.object({ outcome: z.enum(["started", "busy"]) }),
  retry: OUTAGE_RETRY,
});

/** The mailboxes of someone who leaves: their own, and their archive. */
export const ProtectLeaverInput = Generation.extend({
  mailboxes: z.array(MailboxRef).min(1),
  /** Set in a later generation: mailboxes that are held, that are done with, and tries of the next one. */
  resume: z.object({ held: Count, backedUp: Count, started: Count, tries: Count }).optional(),
});
export type ProtectLeaverInput = z.output<typeof ProtectLeaverInput>;

/** The numbers of their mailboxes that are held, and that a last backup was started of. */
export const ProtectLeaverResult = z.object({ held: Count, started: Count });
export type ProtectLeaverResult = z.output<typeof ProtectLeaverResult>;
