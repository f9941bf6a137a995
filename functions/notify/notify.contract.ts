import * as z from "zod";
import { defineActivity } from "../../shared/durable/activity.ts";

/** Most facts in a notice. Our own choice: a message of Teams takes 28 KB. */
export const MAX_FACTS = 30;

/** A message to people that names no one: it has counts, job ids and mailbox keys. */
export const Notice = z.object({
  /** What it is about. At most one notice is sent per id. */
  id: z.string().regex(/^[a-zA-Z0-9-]{1,120}$/),
  title: z.string().min(1).max(200),
  /** Whether somebody should look into it. */
  isProblem: z.boolean(),
  facts: z.array(z.object({ name: z.string().max(100), value: z.string().max(500) })).max(MAX_FACTS),
});
export type Notice = z.output<typeof Notice>;

/**
 * What became of a notice. `off`: no webhook is set. `repeated`: one with its id was sent before, or was about to be.
 * `refused` and `unanswered`: it is not tried again.
 */
export const NoticeOutcome = z.enum(["sent", "off", "repeated", "refused", "unanswered"]);
export type NoticeOutcome = z.output<typeof NoticeOutcome>;

/** Posts a notice to the webhook of the settings, if there is one. */
export const notify = defineActivity({
  name: "notify",
  input: Notice,
  output: z.object({ outcome: NoticeOutcome }),
  retry: { firstIntervalMs: 10_000, attempts: 3, backoff: 2 },
});
