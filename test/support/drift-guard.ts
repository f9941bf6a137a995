import { FunctionFailedError, type InvocationResult, type WorkerPool } from "../../local/host/contract.ts";
import { leaves, OrchestratorState, stateInMessage } from "../../local/host/durable/orchestrator-state.ts";
import { type App, replayPool } from "../local/host/durable/replay-pool.ts";

interface DriftGuard extends WorkerPool {
  /** How many invocations are under way. */
  running(): number;
  /** The first difference between a replay and the run before it. */
  drift(): string | undefined;
}

/**
 * A pool that compares what each replay of one orchestrator does, with inputs, retries and times, with what it did
 * before. The task hub itself, as the extension, compares names alone.
 */
export const driftGuard = (orchestrator: string, app: App): DriftGuard => {
  const pool = replayPool(app);
  let before: readonly string[] = [];
  let drift: string | undefined;
  let running = 0;

  const compare = (state: OrchestratorState | undefined): void => {
    if (state === undefined) return;
    const actions = leaves(state.actions[0]).map((action) => JSON.stringify({ ...action, isCanceled: undefined }));
    const differs = before.findIndex((action, index) => action !== actions[index]);
    if (differs >= 0) drift ??= `it did ${before[differs]} first, then ${actions[differs] ?? "nothing"}`;
    before = actions;
  };

  const compared = async (outcome: Promise<InvocationResult>): Promise<InvocationResult> => {
    try {
      const result = await outcome;
      compare(OrchestratorState.parse(JSON.parse(result.returnValue?.json ?? "null")));
      return result;
    } catch (error) {
      if (error instanceof FunctionFailedError) compare(stateInMessage(error.message));
      throw error;
    }
  };

  return {
    ...pool,
    running: () => running,
    drift: () => drift,
    async invoke(invocation) {
      running += 1;
      try {
        const outcome = pool.invoke(invocation);
        return await (invocation.functionName === orchestrator ? compared(outcome) : outcome);
      } finally {
        running -= 1;
      }
    },
  };
};
