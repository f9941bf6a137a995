import * as z from "zod";
import { MailboxKey } from "../../shared/contracts/ids.ts";
import { defineActivity } from "../../shared/durable/activity.ts";
import { orAway } from "../../shared/durable/outages.ts";

const Count = z.int().nonnegative();

/**
 * Work on a mailbox that uses its request slots, in the order in which it is served. A small restore is what a person
 * waits for.
 */
export const SlotUser = z.enum(["small-restore", "high-restore", "restore", "low-restore", "backup"]);
export type SlotUser = z.output<typeof SlotUser>;

/** A hold on slots, by what was asked for it. Whoever uses the slots renews it, and starts nothing once it is gone. */
export const SlotHold = z.object({ holder: z.string().min(1), asking: z.string().min(1) });
export type SlotHold = z.output<typeof SlotHold>;

/**
 * Takes up to `wanted` of a mailbox's slots for a holder. When it wants none, it releases those that it was granted
 * under the same `asking`.
 */
export const shareSlots = defineActivity({
  name: "share-slots",
  input: z.object({
    mailboxKey: MailboxKey,
    holder: z.string().min(1),
    user: SlotUser,
    /** The job to wake when slots become free while it waits. */
    job: z.string().min(1).optional(),
    /** A different one for each request, so that a second delivery of one is recognised. */
    asking: z.string().min(1),
    /** When it was asked, by the job's own clock: what was asked before is not heard any more. */
    askedAt: z.number().optional(),
    wanted: Count,
    holdMs: z.int().positive(),
  }),
  output: orAway(z.object({ granted: Count })),
  retry: { firstIntervalMs: 5_000, attempts: 5, backoff: 2 },
});
