import { callOf, jsonText, OrchestrationFault } from "./called.ts";
import { followUpOf } from "./follow-up.ts";
import type { Instance } from "./instance.ts";
import { ActionType, type LeafAction, leaves, type OrchestratorState } from "./orchestrator-state.ts";
import type { Call, End, Message, Task, Turn } from "./record.ts";
import type { RegisteredFunctions } from "./registered-functions.ts";

/** The app's answer to a turn: a state, or a failure of the executor itself. */
export type Answer =
  | { readonly state: OrchestratorState; readonly stack: string }
  | { readonly failure: string; readonly stack: string };

/** The outcome of a turn: a line for the file, or a new generation that replaces the file. */
export type Outcome =
  | { readonly kind: "turn"; readonly turn: Turn }
  | {
      readonly kind: "continue-as-new";
      readonly took: number;
      readonly input: string;
      readonly customStatus: string | undefined;
    };

const UNSUPPORTED: Readonly<Record<number, string>> = {
  [ActionType.CallEntity]: "callEntity (durable entities)",
  [ActionType.SignalEntity]: "signalEntity (durable entities)",
  [ActionType.LockEntities]: "lock (durable entities)",
  [ActionType.ReleaseEntities]: "release of entity locks (durable entities)",
  [ActionType.CallHttp]: "callHttp",
};

/**
 * The number of messages that one turn takes. The executor's answer does not say which event led to which action, but
 * numbers follow that order. So a message with a follow-up of its own always opens a turn. An external event has a turn
 * to itself: after a `continueAsNew` in the same turn, nobody could know whether it was seen.
 */
export const batchSize = (instance: Instance, nowMs: number): number => {
  const [first, ...rest] = instance.inbox;
  if (first === undefined || first.kind === "event") return first === undefined ? 0 : 1;
  const end = rest.findIndex((message) => message.kind === "event" || followUps(instance, [message], nowMs).length > 0);
  return end < 0 ? instance.inbox.length : end + 1;
};

/** Interprets the app's answer, and checks it against the instance's earlier calls. */
export const interpretTurn = (
  instance: Instance,
  taken: readonly Message[],
  atMs: number,
  answer: Answer,
  functions: RegisteredFunctions,
): Outcome => {
  const blank: Turn = { type: "turn", atMs, took: taken.length, followUps: [], called: [], actions: 0 };
  const fail = (reason: string, details: string): Outcome => ({
    kind: "turn",
    turn: { ...blank, end: failure(instance.start.name, reason, details) },
  });
  if ("failure" in answer) return fail(answer.failure, answer.stack);

  const { state, stack } = answer;
  const customStatus = state.customStatus == null ? undefined : JSON.stringify(state.customStatus);
  const withStatus = customStatus === undefined ? {} : { customStatus };
  if (state.error !== undefined) {
    const failed = failure(instance.start.name, state.error, `Message: ${state.error}, StackTrace: ${stack}`);
    return { kind: "turn", turn: { ...blank, ...withStatus, end: failed } };
  }
  try {
    const actions = leaves(state.actions[0]);
    refuseUnsupported(actions);
    if (state.isDone) return finished(actions, state, customStatus, { ...blank, ...withStatus });
    const turn = { ...blank, ...withStatus, ...scheduled(instance, taken, atMs, actions, functions) };
    return { kind: "turn", turn };
  } catch (error) {
    if (error instanceof OrchestrationFault) return fail(error.message, "");
    throw error;
  }
};

const finished = (
  actions: readonly LeafAction[],
  state: OrchestratorState,
  customStatus: string | undefined,
  turn: Turn,
): Outcome => {
  const next = actions.find((action) => action.actionType === ActionType.ContinueAsNew);
  if (next !== undefined) {
    return { kind: "continue-as-new", took: turn.took, input: jsonText(next.input), customStatus };
  }
  return { kind: "turn", turn: { ...turn, end: { status: "Completed", output: jsonText(state.output), details: "" } } };
};

const refuseUnsupported = (actions: readonly LeafAction[]): void => {
  for (const { actionType } of actions) {
    const feature = UNSUPPORTED[actionType];
    if (feature !== undefined) throw new OrchestrationFault(`${feature} is not supported by the local host.`);
  }
};

const failure = (orchestrator: string, reason: string, details: string): End => ({
  status: "Failed",
  output: jsonText(`Orchestrator function '${orchestrator}' failed: ${reason}`),
  details,
});

const scheduled = (
  instance: Instance,
  taken: readonly Message[],
  atMs: number,
  actions: readonly LeafAction[],
  functions: RegisteredFunctions,
): Pick<Turn, "followUps" | "called" | "actions"> => {
  checkReplay(instance, actions.slice(0, instance.actions));
  const fresh = actions.slice(instance.actions).flatMap((action) => callOf(instance, action, atMs, functions) ?? []);

  let id = instance.nextTaskId;
  const number = (call: Call): Task => ({ ...call, id: id++ });
  return {
    followUps: followUps(instance, taken, atMs).map(number),
    called: fresh.map(number),
    actions: actions.length,
  };
};

const followUps = (instance: Instance, taken: readonly Message[], nowMs: number): Call[] =>
  taken.flatMap((message) => {
    if (message.kind === "event") return [];
    const task = instance.pending.get(message.taskId);
    return (task && followUpOf(message, task, nowMs)) ?? [];
  });

const checkReplay = (instance: Instance, replayed: readonly LeafAction[]): void => {
  const calls = replayed.filter((action) => action.actionType !== ActionType.WaitForExternalEvent);
  instance.called.forEach((task, index) => {
    const now = calls[index];
    if (now === undefined || signature(now) !== signatureOfTask(task)) {
      const then = signatureOfTask(task);
      throw new OrchestrationFault(
        `Non-deterministic workflow detected: it called ${then} as task ${task.id} before, ` +
          `but its replay ${now === undefined ? "calls nothing there" : `calls ${signature(now)} there`}. ` +
          "Was the orchestrator changed while the instance was running?",
      );
    }
  });
};

const signature = (action: LeafAction): string => {
  switch (action.actionType) {
    case ActionType.CallActivity:
    case ActionType.CallActivityWithRetry:
      return `activity '${action.functionName}'`;
    case ActionType.CallSubOrchestrator:
    case ActionType.CallSubOrchestratorWithRetry:
      return `sub-orchestration '${action.functionName}'`;
    default:
      return action.actionType === ActionType.CreateTimer ? "a timer" : `action type ${action.actionType}`;
  }
};

const signatureOfTask = (task: Task): string => (task.kind === "timer" ? "a timer" : `${task.kind} '${task.name}'`);
