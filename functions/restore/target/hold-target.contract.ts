import * as z from "zod";
import { MailboxKey, RunId } from "../../../shared/contracts/ids.ts";
import { defineActivity } from "../../../shared/durable/activity.ts";
import { orAway } from "../../../shared/durable/outages.ts";
import { Behind } from "../../../shared/durable/waits.ts";

const TargetHeld = z.object({
  waitsFor: Behind.optional(),
  /** Another job has had the mailbox since the restore was planned. */
  passedOn: z.literal(true).optional(),
});
export type TargetHeld = z.input<typeof TargetHeld>;

/** Takes a mailbox for one restore, or says which job it waits for. */
export const holdTarget = defineActivity({
  name: "hold-target",
  input: z.object({ restoreId: RunId, mailboxKey: MailboxKey }),
  output: orAway(TargetHeld),
  retry: { firstIntervalMs: 5_000, attempts: 5, backoff: 2 },
});
