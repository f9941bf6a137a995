import type { OrchestrationContext, Task } from "durable-functions";
import { addCounts } from "../../../shared/contracts/add-counts.ts";
import { call } from "../../../shared/durable/activity.ts";
import { inFull, pause } from "../../../shared/durable/pause.ts";
import { BlockedError, callOrBlock, ToldError } from "../../../shared/durable/waits.ts";
import { type GrantedSlots, holdSlots, nextLanes } from "../../slots/hold-slots.steps.ts";
import { chunksIn } from "../chunk-ranges.contract.ts";
import { createImportSession, type ImportSession, uploadWave } from "../restore.contract.ts";
import { type ImportState, type RestoreRun, showRestore } from "../restore-run.steps.ts";

/** Waves in one generation: history is replayed for each result, so it must stay short. */
const WAVES_PER_GENERATION = 20;

/** Sessions in a row that may end before an item is settled. After that, Exchange is not going to take anything. */
const MAX_FUTILE_SESSIONS = 10;
const FUTILE = "import sessions in a row ended before a chunk was done: check the app's right to import";
const ALL_SESSIONS_FUTILE = `${MAX_FUTILE_SESSIONS} ${FUTILE}`;

/** Longer waits are generations of their own, in which the job can be told something. */
const MAX_PAUSE_MS = 5_000;

/**
 * Runs waves of a planned restore; true when all items are settled or the restore has to stop, false when the
 * generation is full.
 *
 * @throws {BlockedError | ToldError} when the generation ends for another reason; {Error} when no session is of use.
 */
export function* importItems(context: OrchestrationContext, run: RestoreRun): Generator<Task, boolean, unknown> {
  let session: ImportSession | undefined;
  let fresh = false;
  let futileSessions = 0;
  for (let waves = 0; waves < WAVES_PER_GENERATION; waves += 1) {
    const { state } = run;
    if (state === undefined) throw new Error("A restore imports before it is planned");
    if (state.pending.length === 0 || run.stopped !== undefined) return true;
    showRestore(context, run, "importing");
    const granted = yield* holdSlots(context, run.slots, state.lanes, state.plan.laneBudgetMs);
    if (session === undefined) {
      session = yield* callOrBlock(context, createImportSession, run.restore);
      fresh = true;
    }
    const done = yield* wave(context, run, state, granted, { session, fresh });
    const isFutile = done.sessionEnded && !done.isProgress;
    futileSessions = isFutile ? futileSessions + 1 : 0;
    if (futileSessions === MAX_FUTILE_SESSIONS) throw new Error(ALL_SESSIONS_FUTILE);
    if (done.sessionEnded) session = undefined;
    else if (done.hasBegun) fresh = false;
    yield* restBetween(context, done);
  }
  return false;
}

interface DoneWave {
  readonly sessionEnded: boolean;
  /** Whether it settled items. */
  readonly isProgress: boolean;
  /** False for a wave that did nothing: its slots, or its mailbox, were no longer the restore's. */
  readonly hasBegun: boolean;
  /** Whether Graph or storage was away. */
  readonly isAway: boolean;
  /** Whether the job was told to do something else. */
  readonly isTold: boolean;
  /** A wait that is still to be taken. */
  readonly waitMs: number;
}

/** Runs one wave, and notes what it came to. */
function* wave(
  context: OrchestrationContext,
  run: RestoreRun,
  state: ImportState,
  granted: GrantedSlots,
  its: { readonly session: ImportSession; readonly fresh: boolean },
): Generator<Task, DoneWave, unknown> {
  const { plan, pending, lanes, spent, totals } = state;
  const input = { ...run.restore, ...granted, ...its, totals, pending, budgetMs: plan.laneBudgetMs, spent };
  const done = yield* call(context, uploadWave, input);
  const hasBegun = !done.notHeld;
  const isAway = done.away ?? false;
  const isProgress = (done.settled ?? 0) > 0 || chunksIn(done.left) < chunksIn(pending);
  if (hasBegun) {
    const next = { pending: done.left, lanes: nextLanes(lanes, done.throttled), spent: done.spent };
    run.state = { ...state, ...next, totals: addCounts(totals, done) };
    run.stopped ??= done.stopped;
  }
  if (isProgress || (hasBegun && !isAway)) run.wait = undefined;
  const settled = done.imported + done.replaced + done.ambiguous + done.failed;
  showRestore(context, run, "importing", { pace: { settled, elapsedMs: done.elapsedMs + done.waitMs } });
  return {
    sessionEnded: done.sessionEnded,
    isProgress,
    hasBegun,
    isAway,
    isTold: done.told ?? false,
    waitMs: done.waitMs,
  };
}

/** Short waits are taken at once. @throws {BlockedError | ToldError} when the generation is to end. */
function* restBetween(
  context: OrchestrationContext,
  { hasBegun, isTold, isAway, waitMs }: DoneWave,
): Generator<Task, void, unknown> {
  if (isTold || !hasBegun) throw new ToldError("The restore was told to do something else, or has lost its mailbox");
  if (isAway) throw new BlockedError("service", waitMs);
  if (waitMs > MAX_PAUSE_MS) throw new BlockedError("limits", waitMs);
  yield* pause(context, inFull(waitMs));
}
