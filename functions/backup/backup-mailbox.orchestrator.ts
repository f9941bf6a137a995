import type { OrchestrationContext, Task } from "durable-functions";
import { addCounts } from "../../shared/contracts/add-counts.ts";
import { type RunId, runStart } from "../../shared/contracts/ids.ts";
import type { MailboxRef } from "../../shared/contracts/mailbox.ts";
import { call } from "../../shared/durable/activity.ts";
import { ownGuid, ownRunId } from "../../shared/durable/own-ids.ts";
import { inFull, momentIn, msUntil, pause } from "../../shared/durable/pause.ts";
import { BlockedError, nextWait, sleep, ToldError, type Wait } from "../../shared/durable/waits.ts";
import { CANCELLED } from "../jobs/generation.contract.ts";
import { heedWish } from "../jobs/heed-wish.steps.ts";
import type { Standing } from "../jobs/in-generations.steps.ts";
import { holdSlots, nextLanes, type SlotUse, withSlots } from "../slots/hold-slots.steps.ts";
import {
  type BackupMailboxInput,
  type BackupMailboxResult,
  type BackupProgress,
  type BackupTotals,
  type CancelledBackup,
  commitSnapshot,
  exportWave,
  BackupMailboxInput as Input,
  openRun,
  type RunPosition,
  type UnfinishedBackup,
} from "./backup.contract.ts";
import { backupStatus } from "./backup.progress.ts";
import { removeScratch } from "./commit/remove-scratch.contract.ts";
import { isDone, isPlanningOver, noProgress } from "./wave.steps.ts";

/** Waves in one generation. A history is replayed for each result, so it must stay short. */
const WAVES_PER_GENERATION = 20;

/** Longer waits are generations of their own. */
const MAX_PAUSE_MS = 5_000;

type Resume = NonNullable<BackupMailboxInput["resume"]>;

/**
 * Backs up one mailbox: opens the run, runs waves until all is planned and exported, and commits the snapshot.
 *
 * Where a run died, it is gone on with, and what has changed since then is backed up by a run of its own after it.
 * After a day of planning a run commits what it has, and another one goes on.
 *
 * A wave uses at most four slots, the mailbox's own limit, which a restore into the same mailbox shares. After every
 * twenty waves a new generation goes on, so that history does not grow with the mailbox. Each begins with a look at
 * what the job was told.
 */
export function* backupMailbox(
  context: OrchestrationContext,
): Generator<Task, BackupMailboxResult | UnfinishedBackup | CancelledBackup | undefined, unknown> {
  const input = Input.parse(context.df.getInput());
  const { mailbox, partOf } = input;
  const id = input.resume?.runId ?? ownRunId(context, input.startOver ? "run that starts over" : "run");
  const use: SlotUse = { mailboxKey: mailbox.key, holder: input.holder ?? ownGuid(context, id), user: "backup" };
  const jobs = [context.df.instanceId, ...(partOf === undefined ? [] : [partOf])];

  let run = input.resume;
  const done: Exported = { progress: run?.progress ?? noProgress, wait: input.wait };
  const show = (standing: Standing): void =>
    context.df.setCustomStatus({ ...backupStatus("waiting", run?.runId ?? id, done.progress), ...standing });
  const soFar = (): BackupMailboxInput => ({
    ...input,
    holder: use.holder,
    wait: done.wait,
    ...(run && { resume: { ...run, progress: done.progress } }),
  });
  try {
    const wish = yield* heedWish(context, jobs, () => show({ paused: true }));
    if (wish === "cancel") return { ...CANCELLED, totals: totalsOf(input) };
    if (wish === "paused") return another(context, soFar());
    run ??= yield* open(context, input, id);
    done.progress = run.progress;
    yield* withSlots(context, use, exportSome(context, input, run, { use, jobs, done }));
  } catch (error) {
    if (error instanceof ToldError) return another(context, soFar());
    if (!(error instanceof BlockedError)) throw error;
    const { wait, waiting } = nextWait(context, done.wait, error);
    done.wait = wait;
    show({ waiting });
    yield* sleep(context, waiting.until);
    return goOn(context, soFar());
  }
  const { progress } = done;
  if (done.met !== undefined) return startOver(context, input, done.met);
  const { position } = progress;
  if (!isDone(position, isLate(context, run, position))) return goOn(context, soFar());
  return yield* commit(context, input, run, progress);
}

/** Commits what a run has exported. Where that is not all that the mailbox has, another run goes on. */
function* commit(
  context: OrchestrationContext,
  input: BackupMailboxInput,
  { runId, isAdopted, damage = input.damage }: Resume,
  progress: BackupProgress,
): Generator<Task, BackupMailboxResult | UnfinishedBackup | undefined, unknown> {
  const { mailbox, trigger, partOf, until, earlier } = input;
  const { totals, wave: waves, position } = progress;
  context.df.setCustomStatus(backupStatus("committing", runId, progress));
  const unplanned = position.planned ? {} : { unplanned: true as const };
  const snapshot = yield* call(context, commitSnapshot, { mailbox, runId, trigger, totals, waves, ...unplanned });
  if (snapshot.damage !== undefined) return startOver(context, input, snapshot.damage);
  yield* forget(context, mailbox, runId);
  const all = earlier === undefined ? totals : addCounts(earlier, totals);
  if (isAdopted || !position.planned) {
    const next: BackupMailboxInput = { mailbox, trigger, full: false, earlier: all, partOf, until };
    return goOn(context, { ...next, ...(damage !== undefined && { damage }) });
  }
  context.df.setCustomStatus(backupStatus("done", runId, progress));
  return { ...snapshot, totals: all, ...(damage !== undefined && { damage }) };
}

/** Goes on as a run that stores everything anew, and needs nothing of what is damaged. */
const startOver = (context: OrchestrationContext, input: BackupMailboxInput, damage: string): undefined => {
  const { resume: _, holder: __, wait: ___, ...again } = input;
  context.df.continueAsNew({ ...again, damage, startOver: true } satisfies BackupMailboxInput);
};

/** Removes scratch data. Where that fails, the next run does it, or storage itself after some time. */
function* forget(context: OrchestrationContext, mailbox: MailboxRef, runId: RunId): Generator<Task, void, unknown> {
  try {
    yield* call(context, removeScratch, { mailbox, runId });
  } catch {
    // The snapshot is there.
  }
}

/** Goes on as another generation. */
const another = (context: OrchestrationContext, input: BackupMailboxInput): undefined => {
  context.df.continueAsNew(input);
};

/** Goes on as another generation or, when the job that waits has no more time, as a job of its own. */
const goOn = (context: OrchestrationContext, input: BackupMailboxInput): UnfinishedBackup | undefined => {
  const { until, ...rest } = input;
  const { partOf: _, ...alone } = rest;
  if (isOver(context, until)) return { goesOn: alone, totals: totalsOf(input) };
  return another(context, input);
};

const totalsOf = ({ earlier = NOTHING, resume }: BackupMailboxInput): BackupTotals =>
  addCounts(earlier, resume?.progress.totals ?? NOTHING);

const NOTHING = noProgress.totals;

const isOver = (context: OrchestrationContext, until: string | undefined): boolean =>
  until !== undefined && msUntil(context, until) <= 0;

function* open(
  context: OrchestrationContext,
  { mailbox, full, startOver }: BackupMailboxInput,
  id: RunId,
): Generator<Task, Resume, unknown> {
  context.df.setCustomStatus(backupStatus("opening", id, noProgress));
  const input = { mailbox, runId: id, full, ...(startOver && { startOver }) };
  const { laneBudgetMs, unfinished, damage, runId: renamed = id } = yield* call(context, openRun, input);
  const own = { runId: renamed, started: momentIn(context, 0), progress: noProgress };
  const { runId, started, progress } = unfinished ?? own;
  context.df.setCustomStatus(backupStatus("waiting", runId, progress));
  const met = damage === undefined ? {} : { damage };
  return { runId, started, laneBudgetMs, progress, ...(unfinished && { isAdopted: true }), ...met };
}

/** Whether the run has planned for its time. */
const isLate = (
  context: OrchestrationContext,
  { runId, started }: Pick<Resume, "runId" | "started">,
  position: RunPosition,
): boolean => isPlanningOver(-msUntil(context, started ?? runStart(runId).toISOString()), position);

/** What a generation has exported, what damage it met, and what it has waited for since it last did something. */
interface Exported {
  progress: BackupProgress;
  met?: string;
  wait: Wait | undefined;
}

/**
 * Runs waves until there is no more to plan and export, the generation is full, or damage stops it.
 *
 * @throws {BlockedError | ToldError} when it has to wait, or was told to do something else.
 */
function* exportSome(
  context: OrchestrationContext,
  { mailbox, until }: BackupMailboxInput,
  run: Resume,
  { use, jobs, done: exported }: { readonly use: SlotUse; readonly jobs: readonly string[]; readonly done: Exported },
): Generator<Task, void, unknown> {
  const { runId, laneBudgetMs: budgetMs } = run;
  for (let waves = 0; waves < WAVES_PER_GENERATION; waves += 1) {
    const { progress } = exported;
    if (isDone(progress.position, isLate(context, run, progress.position))) return;
    if (waves > 0 && isOver(context, until)) return;
    const { slots, hold } = yield* holdSlots(context, use, progress.lanes, budgetMs);
    context.df.setCustomStatus(backupStatus("exporting", runId, progress));
    const { wave, position } = progress;
    const done = yield* call(context, exportWave, {
      ...{ mailbox, runId, wave, slots, hold, budgetMs, position, jobs: [...jobs] },
      ...(run.isAdopted && { mayBePacked: true }),
      ...(isLate(context, run, position) && { stopPlanning: true }),
    });
    if (done.notHeld) continue;
    if (done.damage !== undefined) {
      exported.met = done.damage;
      return;
    }
    const ended = done.exported + done.skipped + done.failed;
    exported.wait = undefined;
    exported.progress = {
      wave: wave + 1,
      lanes: nextLanes(progress.lanes, done.throttled),
      position: done.position,
      expectedItems: done.expectedItems,
      itemsPerSecond: (ended * 1000) / Math.max(1, done.elapsedMs + done.waitMs),
      totals: addCounts(progress.totals, done),
    };
    context.df.setCustomStatus(backupStatus("exporting", runId, exported.progress));
    if (done.told) throw new ToldError("The backup was told to do something else");
    if (done.waitMs > MAX_PAUSE_MS) throw new BlockedError("limits", done.waitMs);
    yield* pause(context, inFull(done.waitMs));
  }
}
