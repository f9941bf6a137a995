import type { OrchestrationContext, Task } from "durable-functions";
import type * as z from "zod";
import type { PartFailure } from "../contracts/part.ts";

/** An orchestration that is a part of another one. */
interface Part {
  readonly instanceId: string;
  readonly input: unknown;
}

/** Longest reason that is kept. */
const REASON_CHARACTERS = 300;

/** Runs a part and waits for what it comes to. That it fails is an outcome here. */
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

/** The first line says why; a stack follows. */
const reasonOf = (error: unknown): string => {
  const [line = ""] = String(error instanceof Error ? error.message : error).split("\n");
  return line.trim().slice(0, REASON_CHARACTERS);
};

/**
 * Fills the places of a window, each with an orchestration that takes one thing after the other from a queue until that is
 * empty, and waits for all of them. No thing waits for another but for a free place.
 *
 * Why places: the library starts a task again each time it is handed to another `Task.any`, so one orchestration cannot
 * itself keep a sliding window (durable-functions 3.5; Azure/azure-functions-durable-js#574).
 *
 * @throws whatever a place fails with: what it was at would be missing from the outcome.
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
