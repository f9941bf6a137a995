import * as z from "zod";
import { MailboxKey } from "../../shared/contracts/ids.ts";
import { defineActivity } from "../../shared/durable/activity.ts";

const Count = z.int().nonnegative();

/** Work on a mailbox that uses its request slots. A restore goes before a backup. */
export const SlotUser = z.enum(["backup", "restore"]);
export type SlotUser = z.output<typeof SlotUser>;

/** Takes as many of a mailbox's slots as there are for this job, or gives back those it holds when it wants none. */
export const shareSlots = defineActivity({
  name: "share-slots",
  input: z.object({
    mailboxKey: MailboxKey,
    holder: z.string().min(1),
    user: SlotUser,
    /** Another for each asking, so that a second delivery of one is known. */
    asking: z.string().min(1),
    wanted: Count,
    holdMs: z.int().positive(),
  }),
  output: z.object({ granted: Count }),
  retry: { firstIntervalMs: 5_000, attempts: 5, backoff: 2 },
});
