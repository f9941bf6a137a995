import * as z from "zod";
import { RunId } from "../../../shared/contracts/ids.ts";
import { MailboxRef } from "../../../shared/contracts/mailbox.ts";
import { defineActivity } from "../../../shared/durable/activity.ts";

/** Removes the scratch data of a mailbox's run that has ended, and of the runs before it. */
export const removeScratch = defineActivity({
  name: "remove-scratch",
  input: z.object({ mailbox: MailboxRef, runId: RunId }),
  output: z.object({ removed: z.int().nonnegative() }),
  retry: { firstIntervalMs: 10_000, attempts: 3, backoff: 2 },
});
