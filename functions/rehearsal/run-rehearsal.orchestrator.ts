import type { OrchestrationContext, Task } from "durable-functions";
import * as z from "zod";
import type { SnapshotId } from "../../shared/contracts/ids.ts";
import { restoreInstance } from "../../shared/contracts/job-ids.ts";
import type { MailboxRef } from "../../shared/contracts/mailbox.ts";
import { call } from "../../shared/durable/activity.ts";
import { ownRunId } from "../../shared/durable/own-ids.ts";
import { CANCELLED, type Cancelled } from "../jobs/generation.contract.ts";
import { tryPart } from "../jobs/parts.steps.ts";
import { readWish } from "../jobs/wish.contract.ts";
import { notifyPeople } from "../notify/notify.steps.ts";
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
 * Rehearses a restore: takes a sample of items, restores it into the rehearsal mailbox by an ordinary restore,
 * compares, and removes it again. Notifies people when that did not prove that backups restore. What it is told, its
 * restore heeds: one that is cancelled compares and cleans up what there is.
 */
export function* runRehearsal(
  context: OrchestrationContext,
): Generator<Task, RehearsalResult | (RehearsalResult & Cancelled), unknown> {
  const { date } = RehearseRestoreInput.parse(context.df.getInput());
  const rehearsal: Rehearsal = {
    date,
    rehearsalId: ownRunId(context, "rehearsal"),
    restoreId: ownRunId(context, "restore"),
  };
  try {
    const result = yield* rehearse(context, rehearsal);
    if (yield* isCancelled(context)) return { ...result, ...CANCELLED };
    if (!result.proved) yield* notifyPeople(context, unprovedNotice(rehearsal, result));
    return result;
  } catch (error) {
    yield* notifyPeople(context, brokenRehearsalNotice(rehearsal));
    throw error;
  }
}

function* rehearse(context: OrchestrationContext, rehearsal: Rehearsal): Generator<Task, RehearsalResult, unknown> {
  context.df.setCustomStatus({ phase: "drawing" });
  const { mailbox, items, snapshotId } = yield* call(context, openRehearsal, rehearsal);

  context.df.setCustomStatus({ phase: "restoring", items, running: restoreInstance(rehearsal.restoreId) });
  if (snapshotId !== undefined) yield* restore(context, rehearsal, mailbox, snapshotId);

  context.df.setCustomStatus({ phase: "comparing", items });
  const result = yield* call(context, closeRehearsal, { ...rehearsal, mailbox });
  context.df.setCustomStatus({ phase: "done", items });
  return result;
}

/** It ends as it is where that is not known: it has cleaned up. */
function* isCancelled(context: OrchestrationContext): Generator<Task, boolean, unknown> {
  const told = yield* call(context, readWish, { jobs: [context.df.instanceId] });
  return "wish" in told && told.wish === "cancel";
}

const RESTORE_MAILBOX = { name: "restore-mailbox", output: z.unknown() };

/** A restore that fails does not fail the rehearsal: the comparison finds the items missing. */
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
    exclusive: true,
    partOf: context.df.instanceId,
  };
  // Where it fails, its own job says why.
  yield* tryPart(context, RESTORE_MAILBOX, { instanceId: restoreInstance(restoreId), input });
}
