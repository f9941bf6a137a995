import type { OrchestrationContext, Task } from "durable-functions";
import * as z from "zod";
import { addCounts } from "../../shared/contracts/add-counts.ts";
import { restoreInstance } from "../../shared/contracts/job-ids.ts";
import { MAX_FAILURES, type PartFailure } from "../../shared/contracts/part.ts";
import { call } from "../../shared/durable/activity.ts";
import { isAway, nextWait, tellsOfOutage } from "../../shared/durable/outages.ts";
import { tryPart } from "../../shared/durable/parts.ts";
import { pause } from "../../shared/durable/pause.ts";
import { RestorePlan, RestoreResult } from "./restore.contract.ts";
import type { PlaceStatus } from "./restore.progress.ts";
import { RestoreInTurnInput, type RestoreOutcomes, takeRestore } from "./restore-list.contract.ts";
import { isWhole, restoredItems } from "./restored-items.steps.ts";

/** Restores in one generation: bounds its history. */
const TURNS_PER_GENERATION = 20;

const RESTORE_MAILBOX = { name: "restore-mailbox", output: z.union([RestoreResult, RestorePlan]) };

/**
 * Runs restores of a list, one after the other, until all are taken. Counts a restore that fails, and goes on; after
 * one that ended in an outage it waits, so that an outage does not end one restore after the other.
 */
export function* restoreInTurn(context: OrchestrationContext): Generator<Task, RestoreOutcomes | undefined, unknown> {
  const input = RestoreInTurnInput.parse(context.df.getInput());
  const { listId, place } = input;
  let { turn, at, outcomes, outage } = input;

  const waitForEnd = function* (askedMs: number): Generator<Task, void, unknown> {
    const next = nextWait(context, outage, askedMs);
    outage = next.outage;
    yield* pause(context, next.waitMs);
  };

  for (let turns = 0; turns < TURNS_PER_GENERATION; turns += 1) {
    const answer = yield* call(context, takeRestore, { listId, place, turn, at });
    if (isAway(answer)) {
      yield* waitForEnd(answer.awayMs);
      continue;
    }
    const { taken } = answer;
    if (taken === undefined) return outcomes;
    at = taken.at;
    turn += 1;

    const instanceId = restoreInstance(taken.restore.restoreId);
    context.df.setCustomStatus({ ...statusOf(outcomes), running: instanceId } satisfies PlaceStatus);
    const ended = yield* tryPart(context, RESTORE_MAILBOX, { instanceId, input: taken.restore });
    outcomes = count(outcomes, ended);
    context.df.setCustomStatus(statusOf(outcomes));
    if ("reason" in ended && tellsOfOutage(ended.reason)) yield* waitForEnd(0);
    else outage = undefined;
  }

  const now = outage === undefined ? {} : { outage };
  context.df.continueAsNew({ listId, place, turn, at, outcomes, ...now } satisfies RestoreInTurnInput);
  return undefined;
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
