import type { OrchestrationContext, Task } from "durable-functions";
import type { MailboxRef } from "../../shared/contracts/mailbox.ts";
import { call } from "../../shared/durable/activity.ts";
import { pause } from "../../shared/durable/pause.ts";
import { holdLeaver, ProtectLeaverInput, type ProtectLeaverResult, startLastBackup } from "./leaver.contract.ts";

/** Between two tries while a mailbox is being backed up anyway. */
const RETRY_MS = 5 * 60_000;

/** A day of tries. A tenant-wide backup that takes longer backs the mailbox up itself. */
const MAX_TRIES = 288;

/**
 * Protects the mailboxes of someone who leaves: first the holds, which wait for nothing, then a last backup of each.
 */
export function* protectLeaver(context: OrchestrationContext): Generator<Task, ProtectLeaverResult, unknown> {
  const { mailboxes } = ProtectLeaverInput.parse(context.df.getInput());
  const result = { held: 0, started: 0 };
  for (const mailbox of mailboxes) {
    yield* call(context, holdLeaver, { mailbox });
    result.held += 1;
  }
  context.df.setCustomStatus({ phase: "backing-up", ...result });
  for (const mailbox of mailboxes) if (yield* startBackup(context, mailbox)) result.started += 1;
  context.df.setCustomStatus({ phase: "done", ...result });
  return result;
}

/** Whether a backup was started. */
function* startBackup(context: OrchestrationContext, mailbox: MailboxRef): Generator<Task, boolean, unknown> {
  for (let tries = 0; tries < MAX_TRIES; tries += 1) {
    const { outcome } = yield* call(context, startLastBackup, { mailbox });
    if (outcome === "started") return true;
    yield* pause(context, RETRY_MS);
  }
  return false;
}
