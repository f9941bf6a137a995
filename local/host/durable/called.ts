import { timerUntil } from "./follow-up.ts";
import type { Instance } from "./instance.ts";
import { ActionType, type LeafAction } from "./orchestrator-state.ts";
import type { Call, Retry } from "./record.ts";
import { type RegisteredFunctions, unknownActivity, unknownOrchestrator } from "./registered-functions.ts";

/** An error of the orchestrator that fails its instance. */
export class OrchestrationFault extends Error {
  override readonly name = "OrchestrationFault";
}

export const jsonText = (value: unknown): string => JSON.stringify(value) ?? "null";

/** The call that an action asks for; undefined for an action that only waits. */
export const callOf = (
  instance: Instance,
  action: LeafAction,
  atMs: number,
  functions: RegisteredFunctions,
): Call | undefined => {
  switch (action.actionType) {
    case ActionType.CallActivity:
    case ActionType.CallActivityWithRetry: {
      if (functions.activity(action.functionName) === undefined) {
        throw new OrchestrationFault(unknownActivity(functions, action.functionName));
      }
      const call = { kind: "activity", name: action.functionName, input: jsonText(action.input) } as const;
      return { ...call, ...retryOf(action) };
    }
    case ActionType.CallSubOrchestrator:
    case ActionType.CallSubOrchestratorWithRetry: {
      if (functions.orchestrator(action.functionName) === undefined) {
        throw new OrchestrationFault(unknownOrchestrator(functions, action.functionName));
      }
      const call = { kind: "sub-orchestration", name: action.functionName, input: jsonText(action.input) } as const;
      return { ...call, ...ownId(instance, action.instanceId), ...retryOf(action) };
    }
    case ActionType.CreateTimer:
      return timerUntil(Date.parse(action.fireAt), atMs);
    default:
      return undefined;
  }
};

const ownId = ({ start }: Instance, id: string | null | undefined): { instanceId?: string } => {
  if (id == null || id === "") return {};
  const kin = [start.instanceId, start.parent?.instanceId].map((known) => known?.toLowerCase());
  if (kin.includes(id.toLowerCase())) {
    throw new OrchestrationFault(
      "The instance ID of a sub-orchestration must be different than the instance ID of a parent orchestration.",
    );
  }
  if (id.startsWith("@")) throw new OrchestrationFault("Orchestration instance ids must not start with @.");
  return { instanceId: id };
};

const retryOf = (action: LeafAction): { retry?: Retry } => {
  if (!("retryOptions" in action)) return {};
  const { retryTimeoutInMilliseconds, maxRetryIntervalInMilliseconds: maxIntervalMs, ...options } = action.retryOptions;
  if (retryTimeoutInMilliseconds != null) {
    throw new OrchestrationFault(
      "retryTimeoutInMilliseconds is not supported by the local host: durable-functions 3.5 itself never learns of it.",
    );
  }
  return {
    retry: {
      firstIntervalMs: options.firstRetryIntervalInMilliseconds,
      maxAttempts: options.maxNumberOfAttempts,
      backoff: options.backoffCoefficient ?? 1,
      ...(maxIntervalMs == null ? {} : { maxIntervalMs }),
      attempt: 1,
    },
  };
};
