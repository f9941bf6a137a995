import { FunctionFailedError, type InvocationResult } from "../contract.ts";
import type { Log } from "../log.ts";

/** Logs the beginning and the end of an invocation, in the words of the real host. */
export const logInvocation = async (
  log: Log,
  functionName: string,
  id: string,
  running: Promise<InvocationResult>,
): Promise<InvocationResult> => {
  const startedAt = performance.now();
  const entry = { category: `Function.${functionName}`, functionName };
  const ended = (outcome: string) => {
    const elapsedMs = Math.round(performance.now() - startedAt);
    return `Executed 'Functions.${functionName}' (${outcome}, Id=${id}, Duration=${elapsedMs}ms)`;
  };

  log({ ...entry, level: "information", message: `Executing 'Functions.${functionName}' (Id=${id})` });
  try {
    const result = await running;
    log({ ...entry, level: "information", message: ended("Succeeded") });
    return result;
  } catch (error) {
    log({ ...entry, level: "error", message: `${ended("Failed")}\n${reasonOf(error)}` });
    throw error;
  }
};

const reasonOf = (error: unknown): string => {
  if (error instanceof FunctionFailedError) return error.remoteStack || error.message;
  return error instanceof Error ? error.message : String(error);
};
