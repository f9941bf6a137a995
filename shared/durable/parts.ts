import type { OrchestrationContext, Task } from "durable-functions";
import type * as z from "zod";
import type { PartFailure } from "../contracts/part.ts";
import { reasonOf } from "./reason.ts";

/** A sub-orchestration: a part of another orchestration. */
interface Part {
  readonly instanceId: string;
  readonly input: unknown;
}

/** Runs a part and returns its output. A failure is returned, not thrown. */
export function* tryPart<O extends z.ZodType>(
  context: OrchestrationContext,
  { name, output }: { readonly name: string; readonly output: O },
  { instanceId, input }: Part,
): Generator<Task, z.output<O> | PartFailure, unknown> {
  try {
    return output.parse(yield context.df.callSubOrchestrator(name, input, instanceId));
  } catch (error) {
    return { job: instanceId, reason: reasonOf(error) };
  }
}

/**
 * A sliding window over a queue: starts one orchestration in each place of the window, and waits for all of them. Each
 * takes one entry after the other from the queue until it is empty, so an entry waits only for a free place.
 *
 * Why orchestrations as places: the library starts a task again each time it is handed to another `Task.any`, so one
 * orchestration cannot keep a sliding window itself (durable-functions 3.5; Azure/azure-functions-durable-js#574).
 *
 * @throws the failure of a place: the entry that it worked on would be missing from the result.
 */
export function* fillPlaces<O extends z.ZodType>(
  context: OrchestrationContext,
  { name, output }: { readonly name: string; readonly output: O },
  places: readonly Part[],
): Generator<Task, z.output<O>[], unknown> {
  if (places.length === 0) return [];
  const tasks = places.map(({ instanceId, input }) => context.df.callSubOrchestrator(name, input, instanceId));
  const results = (yield context.df.Task.all(tasks)) as unknown[];
  return results.map((result) => output.parse(result));
}
