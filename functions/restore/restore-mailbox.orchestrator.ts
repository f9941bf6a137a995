import type { OrchestrationContext, Task } from "durable-functions";
import { addCounts } from "../../shared/contracts/add-counts.ts";
import { MAILBOX_SLOTS } from "../../shared/contracts/limits.ts";
import { call } from "../../shared/durable/activity.ts";
import { ownGuid } from "../../shared/durable/own-ids.ts";
import { pause } from "../../shared/durable/pause.ts";
import { type GrantedSlots, holdSlots, nextLanes, type SlotUse, withSlots } from "../slots/hold-slots.steps.ts";
import {
  chunksIn,
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
  uploadWave,
} from "./restore.contract.ts";
import { restoreStatus, type WavePace } from "./restore.progress.ts";
import { waitForTarget } from "./target/hold-target.steps.ts";

/** Waves in one generation: history is replayed for each result, so it must stay short. */
const WAVES_PER_GENERATION = 20;

/** Sessions in a row that may end before a chunk is done. After that, Exchange is not going to take anything. */
const MAX_FUTILE_SESSIONS = 10;
const FUTILE = "import sessions in a row ended before a chunk was done: check the app's right to import";
const ALL_SESSIONS_FUTILE = `${MAX_FUTILE_SESSIONS} ${FUTILE}`;

type Resume = NonNullable<RestoreMailboxInput["resume"]>;
type Restore = Pick<RestoreMailboxInput, "restoreId" | "mailbox" | "exclusive">;

/**
 * Restores items of a snapshot: plans, creates missing folders, imports in waves of lanes, then compares the target
 * with the plan. A dry run ends with the plan.
 */
export function* restoreMailbox(
  context: OrchestrationContext,
): Generator<Task, RestorePlan | RestoreResult | undefined, unknown> {
  const input = Input.parse(context.df.getInput());
  const { key: mailboxKey } = targetMailbox(input);
  if (input.exclusive && input.resume === undefined && !(yield* waitTurn(context, input, NOT_PLANNED, NOTHING_DONE))) {
    context.df.continueAsNew(input);
    return undefined;
  }
  const use: SlotUse = { mailboxKey, holder: ownGuid(context, input.restoreId), user: "restore" };
  const { state, result } = yield* withSlots(context, use, runGeneration(context, input, use));
  if (input.dryRun) return state.plan;
  if (result === undefined) context.df.continueAsNew({ ...input, resume: state } satisfies RestoreMailboxInput);
  return result;
}

/** Waits until the restore has its mailbox to itself; false when it should go on waiting in another generation. */
const waitTurn = (
  context: OrchestrationContext,
  input: RestoreMailboxInput,
  plan: Parameters<typeof restoreStatus>[1],
  totals: RestoreTotals,
): Generator<Task, boolean, unknown> =>
  waitForTarget(context, { restoreId: input.restoreId, mailboxKey: targetMailbox(input).key }, (waitsFor) =>
    context.df.setCustomStatus({ ...restoreStatus("waiting", plan, totals), waitsFor }),
  );

/** The mailbox to restore into, whose slots the restore needs. */
const targetMailbox = ({ into, mailbox }: RestoreMailboxInput): RestoreMailboxInput["mailbox"] => into ?? mailbox;

/** All that calls Graph: the plan, waves until everything is imported or the generation is full, and the comparison. */
function* runGeneration(
  context: OrchestrationContext,
  input: RestoreMailboxInput,
  use: SlotUse,
): Generator<Task, { state: Resume; result: RestoreResult | undefined }, unknown> {
  const restore = restoreOf(input);
  let state = input.resume ?? (yield* plan(context, input, use));
  if (input.dryRun) return { state, result: undefined };

  let session: ImportSession | undefined;
  let futileSessions = 0;
  for (let waves = 0; waves < WAVES_PER_GENERATION && state.pending.length > 0; waves += 1) {
    const granted = yield* holdSlots(context, use, state.lanes, state.plan.laneBudgetMs);
    session ??= yield* call(context, createImportSession, restore);
    const next: WaveResult = yield* wave(context, restore, state, granted, session);
    const isFutile = next.sessionEnded && chunksIn(next.state.pending) === chunksIn(state.pending);
    futileSessions = isFutile ? futileSessions + 1 : 0;
    if (futileSessions === MAX_FUTILE_SESSIONS) throw new Error(ALL_SESSIONS_FUTILE);
    if (next.sessionEnded) session = undefined;
    state = next.state;
    if (input.exclusive && next.notHeld && !(yield* waitTurn(context, input, state.plan, state.totals))) break;
    context.df.setCustomStatus(restoreStatus("importing", state.plan, state.totals, next.pace));
  }
  if (state.pending.length > 0) return { state, result: undefined };

  context.df.setCustomStatus(restoreStatus("reconciling", state.plan, state.totals));
  yield* holdSlots(context, use, 1, SINGLE_MS);
  const result = yield* call(context, reconcileRestore, { ...restore, snapshotId: input.snapshotId });
  context.df.setCustomStatus(restoreStatus("done", state.plan, state.totals));
  return { state, result };
}

const restoreOf = (input: RestoreMailboxInput): Restore => ({
  restoreId: input.restoreId,
  mailbox: targetMailbox(input),
  exclusive: input.exclusive,
});

const NOT_PLANNED = { items: 0, present: 0, bytes: 0 };
const NOTHING_DONE: RestoreTotals = { imported: 0, replaced: 0, ambiguous: 0, failed: 0, bytes: 0, throttled: 0 };

/** How long planning, and the comparison, may hold their one slot. */
const SINGLE_MS = 10 * 60_000;

function* plan(
  context: OrchestrationContext,
  input: RestoreMailboxInput,
  use: SlotUse,
): Generator<Task, Resume, unknown> {
  const { dryRun, resume: _, ...planInput } = input;
  context.df.setCustomStatus(restoreStatus("waiting", NOT_PLANNED, NOTHING_DONE));
  yield* holdSlots(context, use, 1, SINGLE_MS);
  context.df.setCustomStatus(restoreStatus("planning", NOT_PLANNED, NOTHING_DONE));
  const planned = yield* call(context, planRestore, planInput);
  if (!dryRun) {
    context.df.setCustomStatus(restoreStatus("folders", planned, NOTHING_DONE));
    yield* call(context, ensureFolders, restoreOf(input));
    context.df.setCustomStatus(restoreStatus("importing", planned, NOTHING_DONE));
  }
  const pending = planned.chunks === 0 ? [] : [{ from: 0, to: planned.chunks }];
  return { plan: planned, pending, lanes: MAILBOX_SLOTS, spent: [], totals: NOTHING_DONE };
}

interface WaveResult {
  readonly state: Resume;
  readonly pace: WavePace;
  readonly sessionEnded: boolean;
  /** The wave did nothing: its slots, or its mailbox, were no longer the restore's. */
  readonly notHeld: boolean;
}

/** Runs one wave, and returns the state that the next one begins with. */
function* wave(
  context: OrchestrationContext,
  restore: Restore,
  state: Resume,
  granted: GrantedSlots,
  session: ImportSession,
): Generator<Task, WaveResult, unknown> {
  const { plan, pending, lanes, spent, totals } = state;
  const { laneBudgetMs: budgetMs } = plan;
  const done = yield* call(context, uploadWave, { ...restore, ...granted, pending, session, budgetMs, spent });
  yield* pause(context, done.waitMs);
  return {
    sessionEnded: done.sessionEnded,
    notHeld: done.notHeld ?? false,
    pace: {
      settled: done.imported + done.replaced + done.ambiguous + done.failed,
      elapsedMs: done.elapsedMs + done.waitMs,
    },
    state: done.notHeld
      ? state
      : {
          plan,
          pending: done.left,
          lanes: nextLanes(lanes, done.throttled),
          spent: done.spent,
          totals: addCounts(totals, done),
        },
  };
}
