import type { OrchestrationContext, Task } from "durable-functions";
import * as z from "zod";
import { addCounts } from "../../shared/contracts/add-counts.ts";
import { restoreInstance } from "../../shared/contracts/job-ids.ts";
import { MAX_FAILURES, type PartFailure } from "../../shared/contracts/part.ts";
import { call } from "../../shared/durable/activity.ts";
import { tryPart } from "../../shared/durable/parts.ts";
import { planRestore, type RestorePlan, type RestoreResult, reconcileRestore } from "./restore.contract.ts";
import type { PlaceStatus } from "./restore.progress.ts";
import { RestoreInTurnInput, type RestoreOutcomes, takeRestore } from "./restore-list.contract.ts";
import { isWhole, restoredItems } from "./restored-items.steps.ts";

/** Restores in one generation: bounds its history. */
const TURNS_PER_GENERATION = 20;

const RESTORE_MAILBOX = { name: "restore-mailbox", output: z.union([reconcileRestore.output, planRestore.output]) };

/** Runs restores of a list, one after the other, until all are taken. Counts a restore that fails, and goes on. */
export function* restoreInTurn(context: OrchestrationContext): Generator<Task, RestoreOutcomes | undefined, unknown> {
  const input = RestoreInTurnInput.parse(context.df.getInput());
  const { listId, place } = input;
  let { turn, at, outcomes } = input;

  for (let turns = 0; turns < TURNS_PER_GENERATION; turns += 1, turn += 1) {
    const { taken } = yield* call(context, takeRestore, { listId, place, turn, at });
    if (taken === undefined) return outcomes;
    at = taken.at;

    const instanceId = restoreInstance(taken.restore.restoreId);
    context.df.setCustomStatus({ ...statusOf(outcomes), running: instanceId } satisfies PlaceStatus);
    outcomes = count(outcomes, yield* tryPart(context, RESTORE_MAILBOX, { instanceId, input: taken.restore }));
    context.df.setCustomStatus(statusOf(outcomes));
  }

  context.df.continueAsNew({ listId, place, turn, at, outcomes } satisfies RestoreInTurnInput);
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
