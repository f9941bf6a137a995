import type { OrchestrationContext, Task } from "durable-functions";
import { addCounts } from "../../shared/contracts/add-counts.ts";
import { MAILBOX_SLOTS } from "../../shared/contracts/limits.ts";
import { call } from "../../shared/durable/activity.ts";
import { isAway } from "../../shared/durable/outages.ts";
import { ownGuid } from "../../shared/durable/own-ids.ts";
import { pause } from "../../shared/durable/pause.ts";
import { type GrantedSlots, holdSlots, nextLanes, type SlotUse, withSlots } from "../slots/hold-slots.steps.ts";
import { type OutageWaits, outageWaits, SINGLE_MS } from "./outage-waits.steps.ts";
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

/** Sessions in a row that may end before an item is settled. After that, Exchange is not going to take anything. */
const MAX_FUTILE_SESSIONS = 10;
const FUTILE = "import sessions in a row ended before a chunk was done: check the app's right to import";
const ALL_SESSIONS_FUTILE = `${MAX_FUTILE_SESSIONS} ${FUTILE}`;
const NOT_PERMITTED = "A fresh import session refused every item: check the app's right to import";

type Resume = NonNullable<RestoreMailboxInput["resume"]>;
type Restore = Pick<RestoreMailboxInput, "restoreId" | "mailbox" | "exclusive">;

/** How a generation ended: with the restore's result, or with the input of the next generation. */
type End = { readonly result: RestorePlan | RestoreResult } | { readonly next: RestoreMailboxInput };

/**
 * Restores items of a snapshot: plans, creates missing folders, imports in waves of lanes, then compares the target
 * with the plan. A dry run ends with the plan. While Graph or storage is away, it waits.
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
  const end: End = yield* withSlots(context, use, runGeneration(context, input, use));
  if ("result" in end) return end.result;
  context.df.continueAsNew(end.next);
  return undefined;
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
): Generator<Task, End, unknown> {
  const { outage: earlier, resume, ...order } = input;
  const restore = restoreOf(input);
  const waits = outageWaits(context, use, earlier);
  const goOn = (state?: Resume): End => {
    const { outage } = waits;
    return {
      next: { ...order, ...(outage !== undefined && { outage }), ...(state !== undefined && { resume: state }) },
    };
  };

  const planned = resume ?? (yield* plan(context, input, use, waits));
  if (planned === undefined) return goOn();
  if (input.dryRun) return { result: planned.plan };
  waits.show(restoreStatus("importing", planned.plan, planned.totals));

  const state = yield* importAll(context, input, planned, { use, waits });
  const { stopped, pending } = state;
  if (stopped === undefined && pending.length > 0) return goOn(state);

  waits.show(restoreStatus("reconciling", state.plan, state.totals));
  yield* holdSlots(context, use, 1, SINGLE_MS);
  const why = stopped === undefined ? {} : { stopped };
  const result = yield* waits.call(reconcileRestore, { ...restore, snapshotId: input.snapshotId, ...why });
  if (result === undefined) return goOn(state);
  waits.show(restoreStatus("done", state.plan, state.totals));
  if (stopped?.reason === "not-permitted") throw new Error(`${NOT_PERMITTED} (${stopped.code})`);
  return { result };
}

const restoreOf = (input: RestoreMailboxInput): Restore => ({
  restoreId: input.restoreId,
  mailbox: targetMailbox(input),
  exclusive: input.exclusive,
});

const NOT_PLANNED = { items: 0, present: 0, bytes: 0 };
const NOTHING_DONE: RestoreTotals = { imported: 0, replaced: 0, ambiguous: 0, failed: 0, bytes: 0, throttled: 0 };

/** Plans, and creates the folders; `undefined` when an outage outlasts the generation. */
function* plan(
  context: OrchestrationContext,
  input: RestoreMailboxInput,
  use: SlotUse,
  waits: OutageWaits,
): Generator<Task, Resume | undefined, unknown> {
  const { dryRun, resume: _, outage: __, ...planInput } = input;
  waits.show(restoreStatus("waiting", NOT_PLANNED, NOTHING_DONE));
  yield* holdSlots(context, use, 1, SINGLE_MS);
  waits.show(restoreStatus("planning", NOT_PLANNED, NOTHING_DONE));
  const planned = yield* waits.call(planRestore, planInput);
  if (planned === undefined) return undefined;
  const state: Resume = {
    plan: planned,
    pending: planned.chunks === 0 ? [] : [{ from: 0, to: planned.chunks }],
    lanes: MAILBOX_SLOTS,
    spent: [],
    totals: NOTHING_DONE,
  };
  if (dryRun) return state;
  waits.show(restoreStatus("folders", planned, NOTHING_DONE));
  const made = yield* waits.call(ensureFolders, restoreOf(input));
  return made && { ...state, ...(made.stopped !== undefined && { stopped: made.stopped }) };
}

/** Runs waves until all is settled, the restore has to stop, or the generation is full. */
function* importAll(
  context: OrchestrationContext,
  input: RestoreMailboxInput,
  planned: Resume,
  { use, waits }: { readonly use: SlotUse; readonly waits: OutageWaits },
): Generator<Task, Resume, unknown> {
  const restore = restoreOf(input);
  let state = planned;
  let session: ImportSession | undefined;
  let fresh = false;
  let futileSessions = 0;
  for (let waves = 0; waves < WAVES_PER_GENERATION; waves += 1) {
    if (state.pending.length === 0 || state.stopped !== undefined) break;
    const granted = yield* holdSlots(context, use, state.lanes, state.plan.laneBudgetMs);
    if (session === undefined) {
      const opened = yield* call(context, createImportSession, restore);
      if (isAway(opened)) {
        if (!(yield* waits.wait(opened.awayMs))) break;
        continue;
      }
      session = opened;
      fresh = true;
    }
    const next: WaveResult = yield* wave(context, restore, state, granted, { session, fresh });
    const isFutile = next.sessionEnded && !next.isProgress;
    futileSessions = isFutile ? futileSessions + 1 : 0;
    if (futileSessions === MAX_FUTILE_SESSIONS) throw new Error(ALL_SESSIONS_FUTILE);
    if (next.sessionEnded) session = undefined;
    else if (next.hasBegun) fresh = false;
    state = next.state;
    if (input.exclusive && !next.hasBegun && !(yield* waitTurn(context, input, state.plan, state.totals))) break;
    waits.show(restoreStatus("importing", state.plan, state.totals, next.pace));
    if (next.isProgress || (next.hasBegun && !next.isAway)) waits.over();
    if (!next.isAway) yield* pause(context, next.waitMs);
    else if (!(yield* waits.wait(next.waitMs))) break;
  }
  return state;
}

interface WaveResult {
  readonly state: Resume;
  readonly pace: WavePace;
  readonly sessionEnded: boolean;
  /** Whether it settled items. */
  readonly isProgress: boolean;
  /** False for a wave that did nothing: its slots, or its mailbox, were no longer the restore's. */
  readonly hasBegun: boolean;
  readonly isAway: boolean;
  /** A wait that Exchange asks for, and that is still to be taken. */
  readonly waitMs: number;
}

/** Runs one wave, and returns the state that the next one begins with. */
function* wave(
  context: OrchestrationContext,
  restore: Restore,
  state: Resume,
  granted: GrantedSlots,
  its: { readonly session: ImportSession; readonly fresh: boolean },
): Generator<Task, WaveResult, unknown> {
  const { plan, pending, lanes, spent, totals } = state;
  const { laneBudgetMs: budgetMs } = plan;
  const proven = totals.imported + totals.replaced > 0;
  const done = yield* call(context, uploadWave, { ...restore, ...granted, ...its, proven, pending, budgetMs, spent });
  const ended = done.imported + done.replaced + done.ambiguous + done.failed;
  return {
    sessionEnded: done.sessionEnded,
    isProgress: (done.settled ?? 0) > 0 || chunksIn(done.left) < chunksIn(pending),
    hasBegun: !done.notHeld,
    isAway: done.away ?? false,
    waitMs: done.waitMs,
    pace: { settled: ended, elapsedMs: done.elapsedMs + done.waitMs },
    state: done.notHeld
      ? state
      : {
          plan,
          pending: done.left,
          lanes: nextLanes(lanes, done.throttled),
          spent: done.spent,
          totals: addCounts(totals, done),
          ...(done.stopped !== undefined && { stopped: done.stopped }),
        },
  };
}
