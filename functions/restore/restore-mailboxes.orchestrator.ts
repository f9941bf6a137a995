import type { OrchestrationContext, Task } from "durable-functions";
import { addCounts } from "../../shared/contracts/add-counts.ts";
import { placeInstance, restoresInstance } from "../../shared/contracts/job-ids.ts";
import { MAX_FAILURES } from "../../shared/contracts/part.ts";
import { call } from "../../shared/durable/activity.ts";
import { fillPlaces } from "../jobs/parts.steps.ts";
import { resolveList } from "./request/resolve-list.steps.ts";
import type { ListStatus } from "./restore.progress.ts";
import {
  findRestorePlaces,
  type RestoreInTurnInput,
  RestoreMailboxesInput,
  RestoreOutcomes,
} from "./restore-list.contract.ts";
import { NO_OUTCOMES } from "./restored-items.steps.ts";

/**
 * Looks up what the restores of a list name, then runs them, into a window of mailboxes at the same time. Each place of
 * the window is an orchestration that takes one restore after the other, by priority. Where one is lost, another
 * generation fills them all again once they have ended, and each goes on where it was.
 */
export function* restoreMailboxes(
  context: OrchestrationContext,
): Generator<Task, RestoreOutcomes | undefined, unknown> {
  const input = RestoreMailboxesInput.parse(context.df.getInput());
  const { listId, restores, mailboxes, window } = input;
  if (mailboxes === undefined) {
    const next = yield* resolveList(context, input);
    if (next === "cancelled") return { ...NO_OUTCOMES, stopped: { reason: "cancelled" } };
    context.df.continueAsNew(next);
    return undefined;
  }
  const places = Math.min(window, mailboxes);
  context.df.setCustomStatus({ phase: "restoring", restores, mailboxes, places } satisfies ListStatus);

  const { turns } = yield* call(context, findRestorePlaces, { listId, places });
  const parts = turns.map((turn, place) => ({
    instanceId: placeInstance(place, restoresInstance(listId)),
    input: { listId, place, ...turn } satisfies RestoreInTurnInput,
  }));
  const { lost = 0 } = input;
  const outcomes = yield* fillPlaces(context, { name: "restore-in-turn", output: RestoreOutcomes }, parts, lost);
  if (outcomes === undefined) {
    context.df.continueAsNew({ ...input, lost: lost + 1 } satisfies RestoreMailboxesInput);
    return undefined;
  }
  context.df.setCustomStatus({ phase: "done", restores, mailboxes, places: 0 } satisfies ListStatus);
  return outcomes.reduce(add, NO_OUTCOMES);
}

const add = (a: RestoreOutcomes, b: RestoreOutcomes): RestoreOutcomes => ({
  ...addCounts(a, b),
  failures: [...a.failures, ...b.failures].slice(0, MAX_FAILURES),
  items: addCounts(a.items, b.items),
  ...(a.stopped !== undefined && { stopped: a.stopped }),
  ...(b.stopped !== undefined && { stopped: b.stopped }),
});
