import { callOf, jsonText, OrchestrationFault } from "./called.ts";
import { followUpOf } from "./follow-up.ts";
import type { Instance } from "./instance.ts";
import { ActionType, type LeafAction, type OrchestratorState } from "./orchestrator-state.ts";
import { cancelledCalls, isCall, openAfter, reachedActions, rootOf } from "./reached.ts";
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
  const end = rest.findIndex(
    (message) => message.kind === "event" || followUpsOf(instance, [message], nowMs).length > 0,
  );
  return end < 0 ? instance.inbox.length : end + 1;
};

/** Largest custom status in UTF-16; the rest of a kilobyte is not counted. Source: MessagePayloadDataConverter.cs. */
const MAX_STATUS_KB = 16;

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

  try {
    const customStatus = statusOf(answer.state);
    const made = scheduled(instance, taken, atMs, answer.state, functions);
    const shown = { ...blank, ...(customStatus === undefined ? {} : { customStatus }) };
    if (!made.isOver) return { kind: "turn", turn: { ...shown, ...made.turn } };
    return ended(instance, answer, made.actions, customStatus, shown);
  } catch (error) {
    if (error instanceof OrchestrationFault) return fail(error.message, "");
    throw error;
  }
};

/** The custom status of an answer that counts for nothing else; absent when there is none, or one that fails. */
export const shownBy = (answer: Answer): string | undefined => {
  try {
    return "state" in answer ? statusOf(answer.state) : undefined;
  } catch (error) {
    if (error instanceof OrchestrationFault) return undefined;
    throw error;
  }
};

/** What the orchestrator shows; absent when it shows nothing. */
const statusOf = ({ customStatus }: OrchestratorState): string | undefined => {
  if (customStatus == null) return undefined;
  const json = JSON.stringify(customStatus);
  const sizeKb = Math.floor((json.length * 2) / 1024);
  if (sizeKb <= MAX_STATUS_KB) return json;
  throw new OrchestrationFault(
    `The UTF-16 size of the JSON-serialized payload must not exceed ${MAX_STATUS_KB} KB. ` +
      `The current payload size is ${sizeKb} KB.`,
  );
};

const ended = (
  { start }: Instance,
  { state, stack }: Extract<Answer, { state: unknown }>,
  actions: readonly LeafAction[],
  customStatus: string | undefined,
  turn: Turn,
): Outcome => {
  if (state.error !== undefined) {
    const details = `Message: ${state.error}, StackTrace: ${stack}`;
    return { kind: "turn", turn: { ...turn, end: failure(start.name, state.error, details) } };
  }
  const next = actions.find((action) => action.actionType === ActionType.ContinueAsNew);
  if (next !== undefined) {
    return { kind: "continue-as-new", took: turn.took, input: jsonText(next.input), customStatus };
  }
  const end: End = { status: "Completed", output: jsonText(state.output), details: "" };
  return { kind: "turn", turn: { ...turn, end } };
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

interface Scheduled {
  readonly turn: Pick<Turn, "followUps" | "called" | "actions">;
  readonly actions: readonly LeafAction[];
  /** Whether the orchestrator has returned or thrown, and nothing that it began is still open. */
  readonly isOver: boolean;
}

const scheduled = (
  instance: Instance,
  taken: readonly Message[],
  atMs: number,
  state: OrchestratorState,
  functions: RegisteredFunctions,
): Scheduled => {
  let id = instance.nextTaskId;
  const followUps = followUpsOf(instance, taken, atMs).map(({ call, root }): Task => ({ ...call, id: id++, root }));
  const open = openAfter(instance, taken, followUps);
  const { actions, stays } = reachedActions(state.actions[0], instance.called, (root) => open.has(root));
  refuseUnsupported(actions);
  checkReplay(instance, actions.slice(0, instance.actions));
  const called = actions
    .slice(instance.actions)
    .flatMap((action) => callOf(instance, action, atMs, functions) ?? [])
    .map((call): Task => ({ ...call, id: id++ }));

  for (const each of called) open.add(each.id);
  for (const root of cancelledCalls(actions, [...instance.called, ...called])) open.delete(root);
  const isOver = (state.isDone || state.error !== undefined) && !stays && open.size === 0;
  return { turn: { followUps, called, actions: actions.length }, actions, isOver };
};

const followUpsOf = (instance: Instance, taken: readonly Message[], nowMs: number): { call: Call; root: number }[] =>
  taken.flatMap((message) => {
    if (message.kind === "event") return [];
    const task = instance.pending.get(message.taskId);
    const call = task && followUpOf(message, task, nowMs);
    return call === undefined ? [] : [{ call, root: rootOf(task as Task) }];
  });

const checkReplay = (instance: Instance, replayed: readonly LeafAction[]): void => {
  const calls = replayed.filter(isCall);
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
