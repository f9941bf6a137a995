import type { OrchestrationContext, Task } from "durable-functions";
import type { SnapshotId } from "../../shared/contracts/ids.ts";
import { restoreInstance } from "../../shared/contracts/job-ids.ts";
import type { MailboxRef } from "../../shared/contracts/mailbox.ts";
import { call } from "../../shared/durable/activity.ts";
import { ownRunId } from "../../shared/durable/own-ids.ts";
import { tell } from "../notify/notify.steps.ts";
import type { RestoreMailboxInput } from "../restore/restore.contract.ts";
import {
  closeRehearsal,
  openRehearsal,
  type Rehearsal,
  type RehearsalResult,
  RehearseRestoreInput,
} from "./rehearsal.contract.ts";
import { brokenRehearsalNotice, unprovedNotice } from "./rehearsal.notice.ts";

/**
 * Rehearses a restore: draws a sample of items, has it restored into the rehearsal mailbox as any restore is, compares, and
 * removes it again. People are told when that did not prove that backups restore.
 */
export function* runRehearsal(context: OrchestrationContext): Generator<Task, RehearsalResult, unknown> {
  const { date } = RehearseRestoreInput.parse(context.df.getInput());
  const rehearsal: Rehearsal = {
    date,
    rehearsalId: ownRunId(context, "rehearsal"),
    restoreId: ownRunId(context, "restore"),
  };
  try {
    const result = yield* rehearse(context, rehearsal);
    if (!result.proved) yield* tell(context, unprovedNotice(rehearsal, result));
    return result;
  } catch (error) {
    yield* tell(context, brokenRehearsalNotice(rehearsal));
    throw error;
  }
}

function* rehearse(context: OrchestrationContext, rehearsal: Rehearsal): Generator<Task, RehearsalResult, unknown> {
  context.df.setCustomStatus({ phase: "drawing" });
  const { mailbox, items, snapshotId } = yield* call(context, openRehearsal, rehearsal);

  context.df.setCustomStatus({ phase: "restoring", items });
  if (snapshotId !== undefined) yield* restore(context, rehearsal, mailbox, snapshotId);

  context.df.setCustomStatus({ phase: "comparing", items });
  const result = yield* call(context, closeRehearsal, { ...rehearsal, mailbox });
  context.df.setCustomStatus({ phase: "done", items });
  return result;
}

/** The failure of the restore is no failure of the rehearsal: what did not come back is missing in the comparison. */
function* restore(
  context: OrchestrationContext,
  { rehearsalId, restoreId }: Rehearsal,
  mailbox: MailboxRef,
  snapshotId: SnapshotId,
): Generator<Task, void, unknown> {
  const input: RestoreMailboxInput = {
    restoreId,
    mailbox,
    snapshotId,
    select: { all: true },
    target: "new-folder",
    onConflict: "duplicate",
    dryRun: false,
    planOf: rehearsalId,
  };
  try {
    yield context.df.callSubOrchestrator("restore-mailbox", input, restoreInstance(restoreId));
  } catch {
    // Its own job says why.
  }
}
