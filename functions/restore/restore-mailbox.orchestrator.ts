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
import { call, schedule, settleAll } from "../../shared/durable/activity.ts";
import { pause } from "../../shared/durable/pause.ts";
import { MAILBOX_SLOTS } from "../../shared/graph/limits.ts";
import { restoreStatus } from "./restore-status.ts";
import { shareChunks } from "./share-chunks.ts";

/** Waves in one generation: history is replayed for each result, so it must stay short. */
const WAVES_PER_GENERATION = 20;

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
  const { restoreId, mailbox, dryRun } = input;
  const restore: Restore = { restoreId, mailbox };

  let state = input.resume ?? (yield* plan(context, input));
  if (dryRun) return state.plan;

  let session: ImportSession | undefined;
  for (let waves = 0; state.pending.length > 0; waves += 1) {
    if (waves === WAVES_PER_GENERATION) {
      context.df.continueAsNew({ ...input, resume: state } satisfies RestoreMailboxInput);
      return undefined;
    }
    session ??= yield* call(context, createImportSession, restore);
    const next: WaveResult = yield* wave(context, restore, state, session);
    state = next.state;
    if (next.sessionEnded) session = undefined;
    context.df.setCustomStatus(restoreStatus("importing", state.plan, state.totals));
  }

  context.df.setCustomStatus(restoreStatus("reconciling", state.plan, state.totals));
  const result = yield* call(context, reconcileRestore, restore);
  context.df.setCustomStatus(restoreStatus("done", state.plan, state.totals));
  return result;
}

const NOTHING_DONE: RestoreTotals = { imported: 0, ambiguous: 0, failed: 0, bytes: 0, throttled: 0 };

function* plan(context: OrchestrationContext, input: RestoreMailboxInput): Generator<Task, Resume, unknown> {
  const { restoreId, mailbox, snapshotId, select, target } = input;
  context.df.setCustomStatus(restoreStatus("planning", { items: 0, present: 0, bytes: 0 }, NOTHING_DONE));
  const planned = yield* call(context, planRestore, { restoreId, mailbox, snapshotId, select, target });
  if (!input.dryRun) {
    context.df.setCustomStatus(restoreStatus("folders", planned, NOTHING_DONE));
    yield* call(context, ensureFolders, { restoreId, mailbox });
  }
  const pending = planned.chunks === 0 ? [] : [{ from: 0, to: planned.chunks }];
  return { plan: planned, pending, lanes: MAILBOX_SLOTS, totals: NOTHING_DONE };
}

interface WaveResult {
  readonly state: Resume;
  readonly sessionEnded: boolean;
}

/** One wave of lanes; half as many in the next one when Graph refused any request, one more when it refused none. */
function* wave(
  context: OrchestrationContext,
  restore: Restore,
  { plan, pending, lanes, totals }: Resume,
  session: ImportSession,
): Generator<Task, WaveResult, unknown> {
  const shares = shareChunks(pending, lanes);
  const budgetMs = plan.laneBudgetMs;
  const results = yield* settleAll(
    context,
    shares.map((ranges) => schedule(context, uploadItems, { ...restore, ranges, session, budgetMs })),
  );
  yield* pause(context, Math.max(0, ...results.map(({ waitMs }) => waitMs)));

  const throttled = results.reduce((sum, lane) => sum + lane.throttled, 0);
  return {
    sessionEnded: results.some((lane) => lane.sessionEnded),
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
