import type { OrchestrationContext, Task } from "durable-functions";
import * as z from "zod";
import { addCounts } from "../../shared/contracts/add-counts.ts";
import { restoreInstance, restoresInstance } from "../../shared/contracts/job-ids.ts";
import { MAX_FAILURES, type PartFailure } from "../../shared/contracts/part.ts";
import { BlockedError, callOrBlock, orWait, tellsOfOutage } from "../../shared/durable/waits.ts";
import { heedWish } from "../jobs/heed-wish.steps.ts";
import { tryPart } from "../jobs/parts.steps.ts";
import { type RestoreMailboxInput, RestorePlan, RestoreResult } from "./restore.contract.ts";
import type { PlaceStatus } from "./restore.progress.ts";
import { type ListedRestore, RestoreInTurnInput, type RestoreOutcomes, takeRestore } from "./restore-list.contract.ts";
import { isWhole, restoredItems } from "./restored-items.steps.ts";

/** Restores in one generation: bounds its history. */
const TURNS_PER_GENERATION = 20;

const RESTORE_MAILBOX = { name: "restore-mailbox", output: z.union([RestoreResult, RestorePlan]) };

/**
 * Runs restores of a list, one after the other, until all are taken or the list is cancelled. Counts a restore that
 * fails, and goes on; after one that ended in an outage it waits, so that an outage does not end one restore after the
 * other. Each generation begins with a look at what the list was told.
 */
export function* restoreInTurn(context: OrchestrationContext): Generator<Task, RestoreOutcomes | undefined, unknown> {
  const input = RestoreInTurnInput.parse(context.df.getInput());
  const place: Place = { ...input, wait: input.wait };
  const isOver = yield* orWait(context, place, takeTurns(context, place), (waiting) =>
    context.df.setCustomStatus({ ...statusOf(place.outcomes), waiting } satisfies PlaceStatus),
  );
  if (isOver) return place.outcomes;
  context.df.continueAsNew({ ...place } satisfies RestoreInTurnInput);
  return undefined;
}

/** A place of the window, as it changes from turn to turn. */
type Place = RestoreInTurnInput & { wait: RestoreInTurnInput["wait"] };

/** True when the place has nothing more to do, false when another generation goes on. */
function* takeTurns(context: OrchestrationContext, place: Place): Generator<Task, boolean, unknown> {
  const { listId } = place;
  const list = restoresInstance(listId);
  for (let turns = 0; turns < TURNS_PER_GENERATION; turns += 1) {
    const wish = yield* heedWish(context, [list], () =>
      context.df.setCustomStatus({ ...statusOf(place.outcomes), paused: true } satisfies PlaceStatus),
    );
    if (wish === "paused") return false;
    if (wish === "cancel") {
      place.outcomes = { ...place.outcomes, stopped: { reason: "cancelled" } };
      return true;
    }
    const { turn, at, outcomes } = place;
    const answer = yield* callOrBlock(context, takeRestore, { listId, place: place.place, turn, at, outcomes });
    if (answer.isAlive) throw new BlockedError("mailbox");
    const { taken } = answer;
    if (taken === undefined) return true;
    place.at = taken.at;
    place.turn += 1;
    yield* runRestore(context, place, { ...taken.restore, partOf: list });
  }
  return false;
}

function* runRestore(
  context: OrchestrationContext,
  place: Place,
  restore: ListedRestore & Pick<RestoreMailboxInput, "partOf">,
): Generator<Task, void, unknown> {
  const instanceId = restoreInstance(restore.restoreId);
  context.df.setCustomStatus({ ...statusOf(place.outcomes), running: instanceId } satisfies PlaceStatus);
  const ended = yield* tryPart(context, RESTORE_MAILBOX, { instanceId, input: restore });
  place.outcomes = count(place.outcomes, ended);
  context.df.setCustomStatus(statusOf(place.outcomes));
  if ("reason" in ended && tellsOfOutage(ended.reason)) throw new BlockedError("service");
  place.wait = undefined;
}

/**
 * Without the failures: their reasons could exceed the 16 KB of a status.
 * Source: learn.microsoft.com, durable-functions-custom-orchestration-status.
 */
const statusOf = ({ failures: _, ...counts }: RestoreOutcomes): PlaceStatus => counts;

const count = (outcomes: RestoreOutcomes, ended: RestoreResult | RestorePlan | PartFailure): RestoreOutcomes => {
  if ("reason" in ended)
    return {
      ...outcomes,
      failed: outcomes.failed + 1,
      failures: [...outcomes.failures, ended].slice(0, MAX_FAILURES),
    };
  const items = restoredItems(ended);
  const end = isWhole(items) ? "complete" : "partial";
  return { ...outcomes, [end]: outcomes[end] + 1, items: addCounts(outcomes.items, items) };
};
