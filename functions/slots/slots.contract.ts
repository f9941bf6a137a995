import * as z from "zod";
import { MailboxKey } from "../../shared/contracts/ids.ts";
import { defineActivity } from "../../shared/durable/activity.ts";

const Count = z.int().nonnegative();

/** Work on a mailbox that uses its request slots. A restore has priority over a backup. */
export const SlotUser = z.enum(["backup", "restore"]);
export type SlotUser = z.output<typeof SlotUser>;

/** A hold on slots, by what was asked for it. Whoever uses the slots renews it, and starts nothing once it is gone. */
export const SlotHold = z.object({ holder: z.string().min(1), asking: z.string().min(1) });
export type SlotHold = z.output<typeof SlotHold>;

/** Takes up to `wanted` of a mailbox's slots for a holder; releases those that it holds when it wants none. */
export const shareSlots = defineActivity({
  name: "share-slots",
  input: z.object({
    mailboxKey: MailboxKey,
    holder: z.string().min(1),
    user: SlotUser,
    /** A different one for each request, so that a second delivery of one is recognised. */
    asking: z.string().min(1),
    wanted: Count,
    holdMs: z.int().positive(),
  }),
  output: z.object({ granted: Count }),
  retry: { firstIntervalMs: 5_000, attempts: 5, backoff: 2 },
});
