import type { OrchestrationContext, Task } from "durable-functions";
import type * as z from "zod";
import type { PartFailure } from "../../shared/contracts/part.ts";
import { call } from "../../shared/durable/activity.ts";
import { isOfInfrastructure } from "../../shared/durable/infrastructure.ts";
import { pause } from "../../shared/durable/pause.ts";
import { reasonOf } from "../../shared/durable/reason.ts";
import { claimPart } from "./claim-part.contract.ts";
import { closeJob } from "./close-job.contract.ts";

/** A sub-orchestration: a part of another orchestration. */
interface Part {
  readonly instanceId: string;
  readonly input: unknown;
}

/** Times that parts which were lost are begun again, and the wait before. Our own choices. */
const MOST_AGAIN = 3;
const AGAIN_MS = 60_000;

/**
 * Runs a part and returns its output. A failure is returned, not thrown. One that is lost by the infrastructure is
 * begun again some times, with the same input, unless somebody else has begun it: it finds what it has done.
 */
export function* tryPart<O extends z.ZodType>(
  context: OrchestrationContext,
  { name, output }: { readonly name: string; readonly output: O },
  { instanceId, input }: Part,
): Generator<Task, z.output<O> | PartFailure, unknown> {
  for (let again = 0; ; again += 1) {
    try {
      return output.parse(yield context.df.callSubOrchestrator(name, input, instanceId));
    } catch (error) {
      if (!isOfInfrastructure(String(error))) return { job: instanceId, reason: reasonOf(error) };
      if (again === MOST_AGAIN) {
        // Nobody goes on with it any more.
        yield* call(context, closeJob, { job: instanceId });
        return { job: instanceId, reason: reasonOf(error) };
      }
      yield* pause(context, AGAIN_MS);
      const by = `${context.df.instanceId} again ${again}`;
      const { isClaimed } = yield* call(context, claimPart, { instanceId, by });
      if (!isClaimed) return { job: instanceId, reason: "It was lost, and somebody else has begun it since" };
    }
  }
}

/**
 * A sliding window over a queue: starts one orchestration in each place of the window, and waits for all of them. Each
 * takes one entry after the other from the queue until it is empty, so an entry waits only for a free place.
 *
 * Why orchestrations as places: the library starts a task again each time it is handed to another `Task.any`, so one
 * orchestration cannot keep a sliding window itself (durable-functions 3.5; Azure/azure-functions-durable-js#574).
 *
 * Returns `undefined` when a place has failed, once all have ended: another generation is to fill them again, and each
 * goes on where it was. `lost`: how often that was done.
 *
 * @throws the failure of a place, once that was done some times.
 */
export function* fillPlaces<O extends z.ZodType>(
  context: OrchestrationContext,
  { name, output }: { readonly name: string; readonly output: O },
  places: readonly Part[],
  lost: number,
): Generator<Task, z.output<O>[] | undefined, unknown> {
  if (places.length === 0) return [];
  const tasks = places.map(({ instanceId, input }) => context.df.callSubOrchestrator(name, input, instanceId));
  let results: unknown[];
  try {
    results = (yield context.df.Task.all(tasks)) as unknown[];
  } catch (error) {
    if (lost === MOST_AGAIN) throw error;
    yield* pause(context, AGAIN_MS);
    return undefined;
  }
  return results.map((result) => output.parse(result));
}
