import type { OrchestrationContext, Task } from "durable-functions";
import { addCounts } from "../../../shared/contracts/add-counts.ts";
import { MAILBOX_SLOTS } from "../../../shared/contracts/limits.ts";
import { call } from "../../../shared/durable/activity.ts";
import { isAway } from "../../../shared/durable/outages.ts";
import { ownGuid } from "../../../shared/durable/own-ids.ts";
import { pause } from "../../../shared/durable/pause.ts";
import { holdSlots, nextLanes, type SlotUse, withSlots } from "../../slots/hold-slots.steps.ts";
import { type OutageWaits, outageWaits } from "../outage-waits.steps.ts";
import { waitForTarget } from "../target/hold-target.steps.ts";
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

type Resume = NonNullable<UndoRestoreInput["resume"]>;

/** How a generation ended: with the undo's result, or with the input of the next generation. */
type End = { readonly result: UndoResult } | { readonly next: UndoRestoreInput };

/** What the steps of a generation share. */
interface Generation {
  readonly context: OrchestrationContext;
  readonly input: UndoRestoreInput;
  readonly use: SlotUse;
  readonly waits: OutageWaits;
}

const NOTHING_DONE: UndoTotals = { examined: 0, deleted: 0, throttled: 0 };

/**
 * Undoes a restore: removes the folder that it made for itself, or deletes the items that it imported and nobody
 * changed, in waves of lanes, and writes a report. It has the mailbox to itself, but for a dry run. While Graph or
 * storage is away, it waits.
 */
export function* undoRestore(context: OrchestrationContext): Generator<Task, UndoResult | undefined, unknown> {
  const input = Input.parse(context.df.getInput());
  if (input.resume === undefined && !(yield* waitTurn(context, input, NOTHING_DONE))) {
    context.df.continueAsNew(input);
    return undefined;
  }
  const use: SlotUse = {
    mailboxKey: input.mailbox.key,
    holder: ownGuid(context, input.undoId),
    user: "restore",
  };
  const end: End = yield* withSlots(context, use, runGeneration(context, input, use));
  if ("result" in end) return end.result;
  context.df.continueAsNew(end.next);
  return undefined;
}

/** Waits until the undo has its mailbox to itself; false when it should go on waiting in another generation. */
function* waitTurn(
  context: OrchestrationContext,
  { undoId, mailbox, dryRun }: Undo,
  totals: UndoTotals,
): Generator<Task, boolean, unknown> {
  if (dryRun) return true;
  return yield* waitForTarget(context, { restoreId: undoId, mailboxKey: mailbox.key }, (waitsFor) =>
    context.df.setCustomStatus({ ...undoStatus("waiting", totals), waitsFor } satisfies UndoStatus),
  );
}

function* runGeneration(
  context: OrchestrationContext,
  input: UndoRestoreInput,
  use: SlotUse,
): Generator<Task, End, unknown> {
  const { outage: earlier, resume, ...order } = input;
  const waits = outageWaits(context, use, earlier);
  const generation = { context, input, use, waits };
  const goOn = (state: Resume): End => {
    const { outage } = waits;
    return { next: { ...order, ...(outage !== undefined && { outage }), resume: state } };
  };

  let state = resume ?? begin(input);
  if (input.ownFolder && state.folder === undefined) {
    state = yield* dealWithFolder(generation, state);
    if (state.folder === undefined) return goOn(state);
  }
  state = yield* undoItems(generation, state);
  if (state.pending.length > 0) return goOn(state);

  waits.show(undoStatus("reporting", state.totals));
  const result = yield* waits.call(reportUndo, undoOf(input));
  if (result === undefined) return goOn(state);
  waits.show(undoStatus("done", state.totals));
  return { result };
}

const begin = ({ chunks }: UndoRestoreInput): Resume => ({
  survey: 0,
  pending: chunks === 0 ? [] : [{ from: 0, to: chunks }],
  lanes: MAILBOX_SLOTS,
  spent: [],
  totals: NOTHING_DONE,
});

const undoOf = ({ undoId, restoreId, mailbox, dryRun }: UndoRestoreInput): Undo => ({
  undoId,
  restoreId,
  mailbox,
  dryRun,
});

/** Surveys and removes the restore's own folder. What stays in it is undone item by item. */
function* dealWithFolder({ context, input, use, waits }: Generation, begun: Resume): Generator<Task, Resume, unknown> {
  let state = begun;
  waits.show(undoStatus("surveying", state.totals));
  for (let steps = 0; steps < WAVES_PER_GENERATION; steps += 1) {
    const { hold } = yield* holdSlots(context, use, 1, input.laneBudgetMs);
    const { survey } = state;
    const budgetMs = input.laneBudgetMs;
    const done = yield* call(context, removeFolder, { ...undoOf(input), survey, hold, budgetMs });
    if (isAway(done)) {
      if (!(yield* waits.wait(done.awayMs))) break;
      continue;
    }
    waits.over();
    if (done.notHeld && !(yield* waitTurn(context, input, state.totals))) break;
    const { outcome } = done;
    state = { ...state, survey: done.survey };
    if (outcome === undefined) continue;
    const isLeft = outcome === "kept" || outcome === "refused";
    return { ...state, folder: outcome, pending: isLeft ? state.pending : [] };
  }
  return state;
}

/** Runs waves until every item is examined, or the generation is full. */
function* undoItems({ context, input, use, waits }: Generation, begun: Resume): Generator<Task, Resume, unknown> {
  let state = begun;
  for (let waves = 0; waves < WAVES_PER_GENERATION && state.pending.length > 0; waves += 1) {
    waits.show(undoStatus("deleting", state.totals));
    const granted = yield* holdSlots(context, use, state.lanes, input.laneBudgetMs);
    const { pending, spent } = state;
    const budgetMs = input.laneBudgetMs;
    const done = yield* call(context, undoWave, { ...undoOf(input), ...granted, pending, budgetMs, spent });
    if (done.notHeld) {
      if (!(yield* waitTurn(context, input, state.totals))) break;
      continue;
    }
    const { examined, deleted, throttled } = done;
    state = {
      ...state,
      pending: done.left,
      spent: done.spent,
      lanes: nextLanes(state.lanes, throttled),
      totals: addCounts(state.totals, { examined, deleted, throttled }),
    };
    waits.show(undoStatus("deleting", state.totals));
    if (done.isProgress || !done.away) waits.over();
    if (!done.away) yield* pause(context, done.waitMs);
    else if (!(yield* waits.wait(done.waitMs))) break;
  }
  return state;
}
