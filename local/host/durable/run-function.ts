import {
  FunctionFailedError,
  FunctionTimeoutError,
  type Invocation,
  type TypedData,
  WorkerLostError,
  type WorkerPool,
} from "../contract.ts";
import { OrchestratorState, stateInMessage } from "./orchestrator-state.ts";
import type { DurableFunction } from "./registered-functions.ts";
import type { Answer } from "./turn.ts";

export type ActivityOutcome =
  | { readonly kind: "completed"; readonly result: string }
  | { readonly kind: "failed"; readonly reason: string; readonly details?: string };

/**
 * A pool that repeats an invocation whose process died, or fails it where deaths count. Once `stopped`, no call
 * returns: its caller waits for ever, as if the host had been killed, and the next start resumes the work.
 */
export const untilStopped = (
  pool: WorkerPool,
  stopped: () => boolean,
  deathsCount: boolean,
): Pick<WorkerPool, "invoke"> => ({
  async invoke(call) {
    while (!stopped()) {
      try {
        const result = await pool.invoke(call);
        if (!stopped()) return result;
      } catch (error) {
        if (stopped()) break;
        if (!(error instanceof WorkerLostError)) throw error;
        if (deathsCount) throw new FunctionFailedError(call.functionName, error.message, "");
      }
    }
    return new Promise(() => undefined);
  },
});

type Runner = Pick<WorkerPool, "invoke">;

/** Shows the orchestrator its history; again when it takes too long. */
export const runOrchestrator = async (pool: Runner, target: DurableFunction, trigger: string): Promise<Answer> => {
  try {
    const { returnValue } = await pool.invoke(invocation(target, trigger, {}));
    return { state: OrchestratorState.parse(JSON.parse(textOf(returnValue))), stack: "" };
  } catch (error) {
    if (!(error instanceof FunctionFailedError)) throw error;
    if (error instanceof FunctionTimeoutError) return runOrchestrator(pool, target, trigger);
    const state = stateInMessage(error.message);
    return state === undefined
      ? { failure: error.message, stack: error.remoteStack }
      : { state, stack: error.remoteStack };
  }
};

/** Calls an activity with its orchestrator's input, as JSON. */
export const runActivity = async (
  pool: Runner,
  target: DurableFunction,
  input: string,
  instanceId: string,
): Promise<ActivityOutcome> => {
  try {
    const metadata = { instanceId: { string: instanceId } };
    const { returnValue } = await pool.invoke(invocation(target, argument(input), metadata));
    return { kind: "completed", result: textOf(returnValue) };
  } catch (error) {
    if (!(error instanceof FunctionFailedError)) throw error;
    return { kind: "failed", ...failureOf(target.name, error) };
  }
};

const invocation = (
  { name, triggerName }: DurableFunction,
  json: string,
  triggerMetadata: Readonly<Record<string, TypedData>>,
): Invocation => ({ functionName: name, inputs: [{ name: triggerName, data: { json } }], triggerMetadata });

/**
 * The library converts an activity's string input to JSON text before it records it (durable-functions 3.5,
 * processInput).
 */
const argument = (input: string): string => {
  const value: unknown = JSON.parse(input);
  return typeof value === "string" ? value : input;
};

const textOf = (data: TypedData | undefined): string => {
  if (data?.json !== undefined) return data.json;
  return data?.string === undefined ? "null" : JSON.stringify(data.string);
};

/** `Details` stands in for the exception that .NET serialises there. */
const failureOf = (
  activity: string,
  { message, remoteStack }: FunctionFailedError,
): { reason: string; details: string } => {
  const exception = { ClassName: "System.Exception", Message: message, StackTraceString: remoteStack };
  return { reason: `Activity function '${activity}' failed: ${message}`, details: JSON.stringify(exception) };
};
