import * as z from "zod";
import { MailboxKey, RunId } from "../../../shared/contracts/ids.ts";
import { defineActivity } from "../../../shared/durable/activity.ts";

const Count = z.int().nonnegative();

/** What a restore waits for: the job that has its mailbox, or gets it next. */
export const WaitsFor = z.object({
  job: z.string().min(1),
  /** Restores that come before this one, with that job. */
  ahead: Count,
  /** When that job expects to end, from now; absent while it cannot know. */
  seconds: Count.optional(),
});
export type WaitsFor = z.output<typeof WaitsFor>;

/** Takes a mailbox for one restore, or says what it waits for. */
export const holdTarget = defineActivity({
  name: "hold-target",
  input: z.object({ restoreId: RunId, mailboxKey: MailboxKey }),
  output: z.object({ waitsFor: WaitsFor.optional() }),
  retry: { firstIntervalMs: 5_000, attempts: 5, backoff: 2 },
});
