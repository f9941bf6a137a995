import type { OrchestrationContext, Task } from "durable-functions";
import type * as z from "zod";
import {
  type BackupMailboxInput,
  type BackupMailboxResult,
  type BackupProgress,
  commitSnapshot,
  exportChunks,
  BackupMailboxInput as Input,
  openRun,
  planChanges,
} from "../../shared/contracts/backup.ts";
import { begin, call, type Pending, schedule, settle, settleEach } from "../../shared/durable/activity.ts";
import { pause } from "../../shared/durable/pause.ts";
import { MAILBOX_SLOTS } from "../../shared/graph/limits.ts";
import { runId } from "../../shared/ids.ts";
import { holdSlots, type SlotUse, withSlots } from "../slots/hold-slots.ts";
import { backupStatus } from "./backup-status.ts";
import {
  addTotals,
  askedWaitMs,
  chunkRanges,
  GUESSED_BATCH_MS,
  nextLanes,
  noProgress,
  planWave,
  SHORTEST_LANE_MS,
  shareOut,
  type WavePlan,
} from "./wave.ts";

/** Waves in one generation: history is replayed for each result, so it must stay short. */
const WAVES_PER_GENERATION = 20;

type Resume = NonNullable<BackupMailboxInput["resume"]>;

/**
 * Backs up one mailbox: takes stock, then waves of lanes until all is planned and exported, then the snapshot.
 *
 * At most four lanes work at a time, the mailbox's own limit, which a restore of the same mailbox shares. Every twenty
 * waves a new generation goes on, so that history does not grow with the mailbox.
 */
export function* backupMailbox(
  context: OrchestrationContext,
): Generator<Task, BackupMailboxResult | undefined, unknown> {
  const input = Input.parse(context.df.getInput());
  const id = input.resume?.runId ?? runId(context.df.currentUtcDateTime, context.df.newGuid("run"));
  const use: SlotUse = { mailboxKey: input.mailbox.key, holder: context.df.newGuid(id), user: "backup" };
  const run = yield* withSlots(context, use, exportSome(context, input, id, use));
  const { progress, expectedItems } = run;
  if (!isDone(progress)) {
    context.df.continueAsNew({ ...input, resume: run } satisfies BackupMailboxInput);
    return undefined;
  }

  context.df.setCustomStatus(backupStatus("committing", id, progress, expectedItems));
  const snapshot = yield* call(context, commitSnapshot, {
    mailbox: input.mailbox,
    runId: id,
    trigger: input.trigger,
    totals: progress.totals,
  });
  context.df.setCustomStatus(backupStatus("done", id, progress, expectedItems));
  return { ...snapshot, totals: progress.totals };
}

/** What asks Graph: taking stock, and waves until all is planned and exported or the generation has had its share. */
function* exportSome(
  context: OrchestrationContext,
  input: BackupMailboxInput,
  id: string,
  use: SlotUse,
): Generator<Task, Resume, unknown> {
  const run = input.resume ?? (yield* open(context, input, id, use));
  const { expectedItems, laneBudgetMs } = run;

  let { progress } = run;
  for (let waves = 0; waves < WAVES_PER_GENERATION && !isDone(progress); waves += 1) {
    const lanes = yield* holdSlots(context, use, progress.lanes, laneBudgetMs);
    progress = yield* wave(context, { mailbox: input.mailbox, runId: id }, progress, lanes, laneBudgetMs);
    context.df.setCustomStatus(backupStatus("exporting", id, progress, expectedItems));
  }
  return { ...run, progress };
}

const isDone = (progress: BackupProgress): boolean => progress.planned && progress.pending.length === 0;

/** How long taking stock may hold its one slot. */
const OPENING_MS = 60_000;

function* open(
  context: OrchestrationContext,
  { mailbox, full }: BackupMailboxInput,
  id: string,
  use: SlotUse,
): Generator<Task, Resume, unknown> {
  context.df.setCustomStatus(backupStatus("waiting", id, noProgress, 0));
  yield* holdSlots(context, use, 1, OPENING_MS);
  context.df.setCustomStatus(backupStatus("opening", id, noProgress, 0));
  const { expectedItems, laneBudgetMs } = yield* call(context, openRun, { mailbox, runId: id, full });
  return { runId: id, expectedItems, laneBudgetMs, progress: noProgress };
}

type Run = Pick<BackupMailboxInput, "mailbox"> & { readonly runId: string };

/**
 * One wave: a lane that plans, while there is something to plan, beside lanes that export. The planning lane's slot goes
 * on exporting when planning ends before the others do.
 */
function* wave(
  context: OrchestrationContext,
  run: Run,
  progress: BackupProgress,
  lanes: number,
  budgetMs: number,
): Generator<Task, BackupProgress, unknown> {
  const plan = planWave({ ...progress, lanes }, budgetMs);
  const { wave } = progress;
  const planning =
    plan.planning && schedule(context, planChanges, { ...run, wave, fromChunk: progress.nextChunk, ...plan.planning });
  const exporting = plan.shares.map((ranges, lane) =>
    schedule(context, exportChunks, { ...run, wave, lane, ranges, budgetMs }),
  );

  yield* begin(
    context,
    [planning, ...exporting].filter((lane) => lane !== undefined),
  );
  const planned = planning && (yield* settlePlanning(planning, exporting));
  const rest = [...plan.rest, ...chunkRanges(progress.nextChunk, planned?.chunks ?? [])];
  const extra = lateLane(context, run, progress, { plan, rest, planningMs: planned?.elapsedMs ?? 0 });
  const exported = yield* settleEach([...extra.pending, ...exporting]);

  const all = planned === undefined ? exported : [...exported, planned];
  const throttled = all.reduce((sum, lane) => sum + lane.throttled, 0);
  yield* pause(context, askedWaitMs(all));

  const batches = exported.reduce((sum, lane) => sum + lane.batches, 0);
  const exportMs = exported.reduce((sum, lane) => sum + lane.elapsedMs, 0);
  return {
    wave: wave + 1,
    lanes: nextLanes(progress.lanes, throttled),
    pending: [...exported.flatMap((lane) => lane.left), ...extra.rest],
    nextChunk: progress.nextChunk + (planned?.chunks.length ?? 0),
    planned: progress.planned || (planned?.done ?? false),
    batchMs: batches === 0 ? progress.batchMs : exportMs / batches,
    totals: exported.reduce(
      addTotals,
      addTotals(progress.totals, {
        planned: planned?.items ?? 0,
        removed: planned?.removed ?? 0,
        throttled: planned?.throttled ?? 0,
      }),
    ),
  };
}

/** The planner's answer. When it failed, not before the lanes beside it have ended, since they use the mailbox's slots. */
function* settlePlanning(
  planning: Pending<typeof planChanges.output>,
  exporting: readonly Pending<typeof exportChunks.output>[],
): Generator<Task, z.output<typeof planChanges.output>, unknown> {
  try {
    return yield* settle(planning);
  } catch (failure) {
    yield* settleEach(exporting);
    throw failure;
  }
}

/** The planner's slot, once it is free, exports for the time that the wave has left. */
function lateLane(
  context: OrchestrationContext,
  run: Run,
  { wave, batchMs }: BackupProgress,
  { plan, rest, planningMs }: { plan: WavePlan; rest: WavePlan["rest"]; planningMs: number },
): { pending: Pending<typeof exportChunks.output>[]; rest: WavePlan["rest"] } {
  const budgetMs = Math.floor((plan.planning?.budgetMs ?? 0) - planningMs);
  const worthwhile = plan.shares.length > 0 && rest.length > 0 && budgetMs >= SHORTEST_LANE_MS;
  if (!worthwhile) return { pending: [], rest };
  const late = shareOut(rest, 1, Math.max(1, Math.ceil(budgetMs / (batchMs || GUESSED_BATCH_MS))));
  const lane = Math.min(plan.shares.length, MAILBOX_SLOTS - 1);
  const pending = late.shares.map((ranges) =>
    schedule(context, exportChunks, { ...run, wave, lane, ranges, budgetMs }),
  );
  return { pending, rest: late.rest };
}
