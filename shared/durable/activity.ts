import type { InvocationContext } from "@azure/functions";
import type { ActivityHandler, OrchestrationContext, Task } from "durable-functions";
import { RetryOptions } from "durable-functions";
import type * as z from "zod";

/** How often Durable Functions delivers a failing activity, and how long it waits in between. */
export interface RetryPolicy {
  readonly firstIntervalMs: number;
  readonly attempts: number;
  readonly backoff: number;
}

/** What an orchestrator knows of an activity: its name and the shapes of both ends, not its code. */
export interface ActivityContract<I extends z.ZodType = z.ZodType, O extends z.ZodType = z.ZodType> {
  readonly name: string;
  readonly input: I;
  readonly output: O;
  readonly retry: RetryPolicy;
}

export const defineActivity = <I extends z.ZodType, O extends z.ZodType>(
  contract: ActivityContract<I, O>,
): ActivityContract<I, O> => contract;

/** The handler of an activity: parses what arrives, and what the body answers before it reaches the history. */
export const implement =
  <I extends z.ZodType, O extends z.ZodType>(
    contract: ActivityContract<I, O>,
    body: (input: z.output<I>, context: InvocationContext) => Promise<z.input<O>>,
  ): ActivityHandler =>
  async (raw: unknown, context: InvocationContext) =>
    contract.output.parse(await body(contract.input.parse(raw), context));

const retryOptions = ({ firstIntervalMs, attempts, backoff }: RetryPolicy): RetryOptions => {
  const options = new RetryOptions(firstIntervalMs, attempts);
  options.backoffCoefficient = backoff;
  return options;
};

/**
 * An activity whose result is parsed when it is waited for. The library starts it no earlier than that: on its own, or
 * with others in {@link begin} or {@link settleAll}. Handed to two of those it would start twice
 * (Azure/azure-functions-durable-js#574), so after that it is waited for on its own.
 */
export interface Pending<O extends z.ZodType> {
  readonly task: Task;
  readonly output: O;
}

/** Prepares an activity with its contract's retry. */
export const schedule = <I extends z.ZodType, O extends z.ZodType>(
  context: OrchestrationContext,
  contract: ActivityContract<I, O>,
  input: z.input<I>,
): Pending<O> => ({
  task: context.df.callActivityWithRetry(contract.name, retryOptions(contract.retry), input),
  output: contract.output,
});

/** Starts all, and goes on when the first has ended, well or not. */
export function* begin(
  context: OrchestrationContext,
  pending: readonly Pending<z.ZodType>[],
): Generator<Task, void, unknown> {
  if (pending.length > 0) yield context.df.Task.any(pending.map(({ task }) => task));
}

/** Waits for one, and starts it if need be. */
export function* settle<O extends z.ZodType>(pending: Pending<O>): Generator<Task, z.output<O>, unknown> {
  return pending.output.parse(yield pending.task);
}

/** Waits for one after the other, for all of them even when one fails, and then fails with the first failure. */
export function* settleEach<O extends z.ZodType>(
  pending: readonly Pending<O>[],
): Generator<Task, z.output<O>[], unknown> {
  const results: z.output<O>[] = [];
  const failures: unknown[] = [];
  for (const each of pending) {
    try {
      results.push(yield* settle(each));
    } catch (failure) {
      failures.push(failure);
    }
  }
  if (failures.length > 0) throw failures[0];
  return results;
}

/** Starts all and waits for all; the first that fails after its retries fails the wait. */
export function* settleAll<O extends z.ZodType>(
  context: OrchestrationContext,
  pending: readonly Pending<O>[],
): Generator<Task, z.output<O>[], unknown> {
  if (pending.length === 0) return [];
  const results = (yield context.df.Task.all(pending.map(({ task }) => task))) as unknown[];
  return pending.map(({ output }, index) => output.parse(results[index]));
}

/** Calls an activity and waits for its parsed result. */
export function* call<I extends z.ZodType, O extends z.ZodType>(
  context: OrchestrationContext,
  contract: ActivityContract<I, O>,
  input: z.input<I>,
): Generator<Task, z.output<O>, unknown> {
  return yield* settle(schedule(context, contract, input));
}
