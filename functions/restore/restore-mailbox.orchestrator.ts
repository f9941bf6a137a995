import type { OrchestrationContext, Task } from "durable-functions";
import {
  createImportSession,
  ensureFolders,
  type ImportSession,
  RestoreMailboxInput as Input,
  planRestore,
  type RestoreMailboxInput,
  type RestorePlan,
  type RestoreResult,
  type RestoreTotals,
  reconcileRestore,
  uploadItems,
} from "../../shared/contracts/restore.ts";
import { begin, call, schedule, settleEach } from "../../shared/durable/activity.ts";
import { pause } from "../../shared/durable/pause.ts";
import { MAILBOX_SLOTS } from "../../shared/graph/limits.ts";
import { holdSlots, type SlotUse, withSlots } from "../slots/hold-slots.ts";
import { restoreStatus, type WavePace } from "./restore-status.ts";
import { chunksIn, shareChunks } from "./share-chunks.ts";

/** Waves in one generation: history is replayed for each result, so it must stay short. */
const WAVES_PER_GENERATION = 20;

/** Sessions in a row that may end before a chunk is done: after that, Exchange is not going to take anything. */
const MOST_VAIN_SESSIONS = 10;
const NO_SESSION_LASTS = `${MOST_VAIN_SESSIONS} import sessions in a row ended before a chunk was done: check the app's right to import`;

type Resume = NonNullable<RestoreMailboxInput["resume"]>;
type Restore = Pick<RestoreMailboxInput, "restoreId" | "mailbox">;

/**
 * Restores items of a snapshot: plans, creates the folders that are missing, imports in waves of lanes, then compares
 * what is there with what was planned. A dry run ends with the plan.
 */
export function* restoreMailbox(
  context: OrchestrationContext,
): Generator<Task, RestorePlan | RestoreResult | undefined, unknown> {
  const input = Input.parse(context.df.getInput());
  const use: SlotUse = { mailboxKey: input.mailbox.key, holder: context.df.newGuid(input.restoreId), user: "restore" };
  const { state, result } = yield* withSlots(context, use, restoreSome(context, input, use));
  if (input.dryRun) return state.plan;
  if (result === undefined) context.df.continueAsNew({ ...input, resume: state } satisfies RestoreMailboxInput);
  return result;
}

/** What asks Graph: planning, waves until all is imported or the generation has had its share, and the comparison. */
function* restoreSome(
  context: OrchestrationContext,
  input: RestoreMailboxInput,
  use: SlotUse,
): Generator<Task, { state: Resume; result: RestoreResult | undefined }, unknown> {
  const restore: Restore = { restoreId: input.restoreId, mailbox: input.mailbox };
  let state = input.resume ?? (yield* plan(context, input, use));
  if (input.dryRun) return { state, result: undefined };

  let session: ImportSession | undefined;
  let vainSessions = 0;
  for (let waves = 0; waves < WAVES_PER_GENERATION && state.pending.length > 0; waves += 1) {
    const lanes = yield* holdSlots(context, use, state.lanes, state.plan.laneBudgetMs);
    session ??= yield* call(context, createImportSession, restore);
    const next: WaveResult = yield* wave(context, restore, state, lanes, session);
    const inVain = next.sessionEnded && chunksIn(next.state.pending) === chunksIn(state.pending);
    vainSessions = inVain ? vainSessions + 1 : 0;
    if (vainSessions === MOST_VAIN_SESSIONS) throw new Error(NO_SESSION_LASTS);
    if (next.sessionEnded) session = undefined;
    state = next.state;
    context.df.setCustomStatus(restoreStatus("importing", state.plan, state.totals, next.pace));
  }
  if (state.pending.length > 0) return { state, result: undefined };

  context.df.setCustomStatus(restoreStatus("reconciling", state.plan, state.totals));
  yield* holdSlots(context, use, 1, SINGLE_MS);
  const result = yield* call(context, reconcileRestore, restore);
  context.df.setCustomStatus(restoreStatus("done", state.plan, state.totals));
  return { state, result };
}

const NOTHING_DONE: RestoreTotals = { imported: 0, ambiguous: 0, failed: 0, bytes: 0, throttled: 0 };

/** How long planning, or comparing, may hold its one slot. */
const SINGLE_MS = 10 * 60_000;

function* plan(
  context: OrchestrationContext,
  input: RestoreMailboxInput,
  use: SlotUse,
): Generator<Task, Resume, unknown> {
  const { restoreId, mailbox, snapshotId, select, target } = input;
  context.df.setCustomStatus(restoreStatus("waiting", { items: 0, present: 0, bytes: 0 }, NOTHING_DONE));
  yield* holdSlots(context, use, 1, SINGLE_MS);
  context.df.setCustomStatus(restoreStatus("planning", { items: 0, present: 0, bytes: 0 }, NOTHING_DONE));
  const planned = yield* call(context, planRestore, { restoreId, mailbox, snapshotId, select, target });
  if (!input.dryRun) {
    context.df.setCustomStatus(restoreStatus("folders", planned, NOTHING_DONE));
    yield* call(context, ensureFolders, { restoreId, mailbox });
    context.df.setCustomStatus(restoreStatus("importing", planned, NOTHING_DONE));
  }
  const pending = planned.chunks === 0 ? [] : [{ from: 0, to: planned.chunks }];
  return { plan: planned, pending, lanes: MAILBOX_SLOTS, totals: NOTHING_DONE };
}

interface WaveResult {
  readonly state: Resume;
  readonly pace: WavePace;
  readonly sessionEnded: boolean;
}

/** One wave of lanes; half as many in the next one when Graph refused any request, one more when it refused none. */
function* wave(
  context: OrchestrationContext,
  restore: Restore,
  { plan, pending, lanes, totals }: Resume,
  granted: number,
  session: ImportSession,
): Generator<Task, WaveResult, unknown> {
  const shares = shareChunks(pending, granted);
  const budgetMs = plan.laneBudgetMs;
  const uploads = shares.map((ranges) => schedule(context, uploadItems, { ...restore, ranges, session, budgetMs }));
  yield* begin(context, uploads);
  const results = yield* settleEach(uploads);
  const waitMs = Math.max(0, ...results.map((lane) => lane.waitMs));
  yield* pause(context, waitMs);

  const throttled = results.reduce((sum, lane) => sum + lane.throttled, 0);
  return {
    sessionEnded: results.some((lane) => lane.sessionEnded),
    pace: {
      settled: results.reduce((sum, { imported, ambiguous, failed }) => sum + imported + ambiguous + failed, 0),
      elapsedMs: Math.max(0, ...results.map(({ elapsedMs }) => elapsedMs)) + waitMs,
    },
    state: {
      plan,
      pending: results.flatMap(({ left }) => left),
      lanes: throttled > 0 ? Math.max(1, Math.floor(lanes / 2)) : Math.min(MAILBOX_SLOTS, lanes + 1),
      totals: results.reduce(add, totals),
    },
  };
}

const add = (totals: RestoreTotals, lane: RestoreTotals): RestoreTotals => ({
  imported: totals.imported + lane.imported,
  ambiguous: totals.ambiguous + lane.ambiguous,
  failed: totals.failed + lane.failed,
  bytes: totals.bytes + lane.bytes,
  throttled: totals.throttled + lane.throttled,
});
