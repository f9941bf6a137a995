import * as z from "zod";
import { defineActivity } from "../../shared/durable/activity.ts";
import { BackupMailboxInput } from "./backup.contract.ts";

/** Starts a mailbox's backup as a job of its own. */
export const goOnAlone = defineActivity({
  name: "go-on-alone",
  input: z.object({ input: BackupMailboxInput }),
  output: z.object({}),
  retry: { firstIntervalMs: 10_000, attempts: 5, backoff: 2 },
});
