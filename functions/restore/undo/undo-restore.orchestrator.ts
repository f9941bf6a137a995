import type { OrchestrationContext, Task } from "durable-functions";
import { addCounts } from "../../../shared/contracts/add-counts.ts";
import { MAILBOX_SLOTS } from "../../../shared/contracts/limits.ts";
import { call } from "../../../shared/durable/activity.ts";
import { ownGuid } from "../../../shared/durable/own-ids.ts";
import { inFull, pause } from "../../../shared/durable/pause.ts";
import { BlockedError, callOrBlock, orWait, ToldError, type Wait } from "../../../shared/durable/waits.ts";
import { heedWish } from "../../jobs/heed-wish.steps.ts";
import { holdSlots, nextLanes, type SlotUse, withSlots } from "../../slots/hold-slots.steps.ts";
import { takeMailbox } from "../target/hold-target.steps.ts";
import {
  UndoRestoreInput as Input,
  removeFolder,
  reportUndo,
  type Undo,
  type UndoRestoreInput,
  type UndoResult,
  type UndoTotals,
  undoWave,
} from "./undo.contract.ts";
import { type UndoStatus, undoStatus } from "./undo.progress.ts";

/** Waves in one generation: history is replayed for each result, so it must stay short. */
const WAVES_PER_GENERATION = 20;

/** Longer waits are generations of their own. */
const MAX_PAUSE_MS = 5_000;

type State = NonNullable<UndoRestoreInput["resume"]>;

/** One generation of an undo, and what it has come to. */
interface UndoRun {
  readonly input: UndoRestoreInput;
  readonly undo: Undo;
  readonly slots: SlotUse;
  state: State;
  /** It was told to end: it has only to report. */
  isCancelled: boolean;
  wait: Wait | undefined;
}

const NOTHING_DONE: UndoTotals = { examined: 0, deleted: 0, throttled: 0 };

/**
 * Undoes a restore: removes the folder that it made for itself, or deletes the items that it imported and nobody
 * changed, in waves of lanes, and writes a report. It has the mailbox to itself, but for a dry run.
 *
 * Another generation goes on after twenty waves, after each wait, and when it was told to pause or to end. Each begins
 * with a look at what it was told. One that is cancelled reports what it did.
 */
export function* undoRestore(context: OrchestrationContext): Generator<Task, UndoResult | undefined, unknown> {
  const input = Input.parse(context.df.getInput());
  const run = undoRun(context, input);
  try {
    const result = yield* orWait(context, run, generation(context, run), (waiting) =>
      show(context, run, "waiting", { waiting }),
    );
    if (result !== undefined) return result;
  } catch (error) {
    if (!(error instanceof ToldError)) throw error;
  }
  context.df.continueAsNew(nextInput(run));
  return undefined;
}

const undoRun = (context: OrchestrationContext, input: UndoRestoreInput): UndoRun => {
  const { undoId, restoreId, mailbox, dryRun, chunks } = input;
  const begun: State = {
    survey: 0,
    pending: chunks === 0 ? [] : [{ from: 0, to: chunks }],
    lanes: MAILBOX_SLOTS,
    spent: [],
    totals: NOTHING_DONE,
  };
  return {
    input,
    undo: { undoId, restoreId, mailbox, dryRun, jobs: [context.df.instanceId] },
    slots: { mailboxKey: mailbox.key, holder: input.holder ?? ownGuid(context, undoId), user: "small-restore" },
    state: input.resume ?? begun,
    isCancelled: false,
    wait: input.wait,
  };
};

const nextInput = ({ input, state, wait, slots }: UndoRun): UndoRestoreInput => {
  const { wait: _, ...order } = input;
  return { ...order, holder: slots.holder, resume: state, ...(wait !== undefined && { wait }) };
};

const show = (
  context: OrchestrationContext,
  { state }: UndoRun,
  phase: UndoStatus["phase"],
  more: Pick<UndoStatus, "waiting" | "paused"> = {},
): void => context.df.setCustomStatus({ ...undoStatus(phase, state.totals), ...more } satisfies UndoStatus);

/** Returns the undo's result, or `undefined` when another generation goes on. */
function* generation(context: OrchestrationContext, run: UndoRun): Generator<Task, UndoResult | undefined, unknown> {
  const wish = yield* heedWish(context, [context.df.instanceId], () => show(context, run, "waiting", { paused: true }));
  if (wish === "paused") return undefined;
  run.isCancelled = wish === "cancel";
  const { undoId, mailbox, dryRun } = run.undo;
  if (!dryRun && !run.isCancelled) yield* takeMailbox(context, { restoreId: undoId, mailboxKey: mailbox.key });
  return yield* withSlots(context, run.slots, work(context, run));
}

function* work(context: OrchestrationContext, run: UndoRun): Generator<Task, UndoResult | undefined, unknown> {
  const { input, undo, isCancelled } = run;
  if (!isCancelled) {
    if (input.ownFolder && run.state.folder === undefined && !(yield* dealWithFolder(context, run))) return undefined;
    if (!(yield* undoItems(context, run))) return undefined;
  }
  show(context, run, "reporting");
  const result = yield* callOrBlock(context, reportUndo, { ...undo, ...(isCancelled && { isCancelled }) });
  show(context, run, "done");
  return result;
}

/**
 * Surveys and removes the restore's own folder. What stays in it is undone item by item. False when the generation is
 * full.
 */
function* dealWithFolder(context: OrchestrationContext, run: UndoRun): Generator<Task, boolean, unknown> {
  const budgetMs = run.input.laneBudgetMs;
  show(context, run, "surveying");
  for (let steps = 0; steps < WAVES_PER_GENERATION; steps += 1) {
    const { state } = run;
    const { hold } = yield* holdSlots(context, run.slots, 1, budgetMs);
    const done = yield* callOrBlock(context, removeFolder, { ...run.undo, survey: state.survey, hold, budgetMs });
    if (done.notHeld) throw new ToldError("The undo has lost its mailbox");
    run.wait = undefined;
    const { outcome, survey } = done;
    run.state = { ...state, survey };
    if (outcome === undefined) continue;
    const isLeft = outcome === "kept" || outcome === "refused";
    run.state = { ...run.state, folder: outcome, pending: isLeft ? state.pending : [] };
    return true;
  }
  return false;
}

/** Runs waves until every item is examined; false when the generation is full. */
function* undoItems(context: OrchestrationContext, run: UndoRun): Generator<Task, boolean, unknown> {
  const budgetMs = run.input.laneBudgetMs;
  for (let waves = 0; waves < WAVES_PER_GENERATION; waves += 1) {
    const { state } = run;
    const { pending, spent, lanes } = state;
    if (pending.length === 0) return true;
    show(context, run, "deleting");
    const granted = yield* holdSlots(context, run.slots, lanes, budgetMs);
    const done = yield* call(context, undoWave, { ...run.undo, ...granted, pending, budgetMs, spent });
    if (done.notHeld) throw new ToldError("The undo has lost its slots or its mailbox");
    const { examined, deleted, throttled, left, away = false, waitMs } = done;
    const totals = addCounts(state.totals, { examined, deleted, throttled });
    run.state = { ...state, pending: left, spent: done.spent, lanes: nextLanes(lanes, throttled), totals };
    if (done.isProgress || !away) run.wait = undefined;
    show(context, run, "deleting");
    if (done.told) throw new ToldError("The undo was told to do something else");
    if (away) throw new BlockedError("service", waitMs);
    if (waitMs > MAX_PAUSE_MS) throw new BlockedError("limits", waitMs);
    yield* pause(context, inFull(waitMs));
  }
  return false;
}
