import type { InvocationContext } from "@azure/functions";
import { type ActivityHandler, type OrchestrationContext, RetryOptions, type Task } from "durable-functions";
import type * as z from "zod";
import { isLostActivity } from "./infrastructure.ts";
import { pause } from "./pause.ts";

/** How often Durable Functions delivers a failing activity, and how long it waits in between. */
export interface RetryPolicy {
  readonly firstIntervalMs: number;
  readonly attempts: number;
  readonly backoff: number;
}

/** What an orchestrator knows of an activity: its name and the shapes of its input and output, not its code. */
export interface ActivityContract<I extends z.ZodType = z.ZodType, O extends z.ZodType = z.ZodType> {
  readonly name: string;
  readonly input: I;
  readonly output: O;
  readonly retry: RetryPolicy;
}

export const defineActivity = <I extends z.ZodType, O extends z.ZodType>(
  contract: ActivityContract<I, O>,
): ActivityContract<I, O> => contract;

/** The handler of an activity: parses the input, and the body's result before that reaches the history. */
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

/** Rounds of tries for an activity whose process was lost, which says nothing of its work. Our own choices. */
const MOST_ROUNDS = 3;
const BETWEEN_ROUNDS_MS = 60_000;

/**
 * Calls an activity with its contract's retry policy, and returns its parsed result. Where its last try was lost by the
 * infrastructure, all of them are made again, some times: what is lost more often is the activity's own fault, such as
 * an item that takes more memory than there is.
 */
export function* call<I extends z.ZodType, O extends z.ZodType>(
  context: OrchestrationContext,
  { name, retry, output }: ActivityContract<I, O>,
  input: z.input<I>,
): Generator<Task, z.output<O>, unknown> {
  for (let round = 1; ; round += 1) {
    let answer: unknown;
    try {
      answer = yield context.df.callActivityWithRetry(name, retryOptions(retry), input);
    } catch (error) {
      if (!isLostActivity(name, String(error))) throw error;
      if (round === MOST_ROUNDS) throw new Error(`${name} lost its process in each of ${round * retry.attempts} tries`);
      yield* pause(context, BETWEEN_ROUNDS_MS);
      continue;
    }
    return output.parse(answer);
  }
}
