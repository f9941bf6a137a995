import type { OrchestrationContext, Task } from "durable-functions";
import { MAILBOX_SLOTS } from "../../shared/contracts/limits.ts";
import { reasonOf } from "../../shared/durable/reason.ts";
import { callOrBlock, orWait, ToldError } from "../../shared/durable/waits.ts";
import { heedWish } from "../jobs/heed-wish.steps.ts";
import { holdSlots, withSlots } from "../slots/hold-slots.steps.ts";
import { inSteps } from "./paging/in-steps.steps.ts";
import {
  ensureFolders,
  RestoreMailboxInput as Input,
  planRestore,
  type RestorePlan,
  type RestoreResult,
  reconcileRestore,
  type Stopped,
} from "./restore.contract.ts";
import {
  endOf,
  type ImportState,
  NOTHING_DONE,
  nextInput,
  type RestoreRun,
  restoreRun,
  resultOfNothing,
  showRestore,
} from "./restore-run.steps.ts";
import { takeMailbox } from "./target/hold-target.steps.ts";
import { importItems } from "./upload/import-items.steps.ts";

/**
 * How long making folders may hold its slots. It uses one of them, and holds the restore's share: a backup that got the
 * rest would leave one to the import for a whole wave.
 */
const SINGLE_MS = 10 * 60_000;

type Result = RestorePlan | RestoreResult;

/**
 * Restores items of a snapshot: plans in steps, creates missing folders, imports in waves of lanes, then compares the
 * target with the plan, in steps too. A dry run ends with the plan.
 *
 * Another generation goes on after twenty steps or waves, after each wait, and when it was told to pause or to end.
 * Each begins with a look at what it was told. A restore that is cancelled, that fails or that has to stop compares and
 * reports like one that came to its end.
 */
export function* restoreMailbox(context: OrchestrationContext): Generator<Task, Result | undefined, unknown> {
  const run = restoreRun(context, Input.parse(context.df.getInput()));
  let end: Result | undefined;
  try {
    end = yield* orWait(context, run, generation(context, run), (waiting) =>
      showRestore(context, run, "waiting", { waiting }),
    );
  } catch (error) {
    if (!(error instanceof ToldError)) fail(run, error);
  }
  if (end !== undefined) return endOf(run, end);
  context.df.continueAsNew(nextInput(run));
  return undefined;
}

/**
 * The next generation reports; where that fails too, the one after it reports without a look at the mailbox.
 *
 * @throws the error of a dry run, and of a restore that cannot even report so.
 */
const fail = (run: RestoreRun, error: unknown): void => {
  if (run.input.dryRun || run.stopped?.unseen) throw error;
  const why: Stopped = run.stopped ?? { reason: "failed", detail: reasonOf(error) };
  run.stopped = run.stopped === undefined ? why : { ...why, unseen: true };
  run.wait = undefined;
};

/** Returns the restore's result, or `undefined` when another generation goes on. */
function* generation(context: OrchestrationContext, run: RestoreRun): Generator<Task, Result | undefined, unknown> {
  const wish = yield* heedWish(context, run.jobs, () => showRestore(context, run, "waiting", { paused: true }));
  if (wish === "paused") return undefined;
  if (wish === "cancel" && isLeftToDo(run)) run.stopped ??= { reason: "cancelled" };
  if (run.input.exclusive && run.stopped === undefined) yield* takeMailbox(context, run.target);
  return yield* withSlots(context, run.slots, work(context, run));
}

/** Whether a restore that ends now leaves something out. One that only compares has done its work. */
const isLeftToDo = ({ state }: RestoreRun): boolean =>
  state === undefined || !state.foldersMade || state.pending.length > 0;

/** All that calls Graph: the plan, waves until everything is imported, and the comparison, or a full generation. */
function* work(context: OrchestrationContext, run: RestoreRun): Generator<Task, Result | undefined, unknown> {
  if (run.stopped === undefined) {
    run.state ??= yield* plan(context, run);
    if (run.state === undefined) return undefined;
  }
  if (run.input.dryRun) return run.state?.plan ?? resultOfNothing(run);
  if (run.stopped === undefined && run.state?.foldersMade === false) yield* makeFolders(context, run, run.state);
  if (run.stopped === undefined && !(yield* importItems(context, run))) return undefined;
  return yield* report(context, run);
}

function* plan(context: OrchestrationContext, run: RestoreRun): Generator<Task, ImportState | undefined, unknown> {
  const { restoreId, mailbox, into, snapshotId, select, target, onConflict, planOf, exclusive } = run.input;
  showRestore(context, run, "planning");
  const what = { restoreId, mailbox, into, snapshotId, select, target, onConflict, planOf, exclusive };
  const planned = yield* inSteps(context, run, planRestore, { ...what, jobs: [...run.jobs] });
  if (planned === undefined) return undefined;
  const pending = planned.chunks === 0 ? [] : [{ from: 0, to: planned.chunks }];
  return { plan: planned, pending, lanes: MAILBOX_SLOTS, spent: [], totals: NOTHING_DONE, foldersMade: false };
}

function* makeFolders(
  context: OrchestrationContext,
  run: RestoreRun,
  state: ImportState,
): Generator<Task, void, unknown> {
  showRestore(context, run, "folders");
  yield* holdSlots(context, run.slots, MAILBOX_SLOTS, SINGLE_MS);
  const { stopped } = yield* callOrBlock(context, ensureFolders, run.restore);
  run.wait = undefined;
  run.state = { ...state, foldersMade: true };
  run.stopped = stopped;
}

function* report(context: OrchestrationContext, run: RestoreRun): Generator<Task, RestoreResult | undefined, unknown> {
  const { stopped } = run;
  showRestore(context, run, "reconciling");
  const what = { ...run.restore, snapshotId: run.input.snapshotId, ...(stopped !== undefined && { stopped }) };
  const result = yield* inSteps(context, run, reconcileRestore, what);
  if (result !== undefined) showRestore(context, run, "done");
  return result;
}
