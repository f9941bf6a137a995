import { completedEvents, type HistoryEvent, startedEvents, suspendedEvent, terminatedEvent } from "./history.ts";
import type { End, Line, Message, Start, Task, Turn, Value } from "./record.ts";

/** An orchestration as its file says. Only {@link apply} changes it, so reading the file again results in the same. */
export interface Instance {
  start: Start;
  updatedAtMs: number;
  suspended: boolean;
  /** The reason of the last order to suspend or resume, which is shown as the output. */
  orderReason: string | undefined;
  customStatus: Value | undefined;
  end: End | undefined;
  /** Inputs of its tasks that are in files of their own: its history has none. */
  largeInputs: Value[];
  /** The history for the replay executor; kept for live instances only. */
  history: HistoryEvent[];
  /** Messages that no turn has taken yet. */
  inbox: Message[];
  /** Tasks whose outcome no turn has taken yet, by number. */
  readonly pending: Map<number, Task>;
  /** The calls of the orchestrator so far, to detect a replay with other calls. */
  called: Task[];
  actions: number;
  nextTaskId: number;
}

export type RuntimeStatus = "Pending" | "Running" | "Suspended" | "Completed" | "Failed" | "Terminated";

export const runtimeStatus = (instance: Instance): RuntimeStatus => {
  if (instance.end !== undefined) return instance.end.status;
  if (instance.suspended) return "Suspended";
  return hasBegun(instance) ? "Running" : "Pending";
};

/** Whether a turn of any of its generations was taken. */
export const hasBegun = ({ start, history }: Instance): boolean => start.generation > 0 || history.length > 0;

export const begin = (start: Start): Instance => ({
  start,
  updatedAtMs: start.atMs,
  suspended: start.suspended,
  orderReason: undefined,
  customStatus: start.customStatus,
  end: undefined,
  largeInputs: [],
  history: [],
  inbox: [...start.inbox],
  pending: new Map(),
  called: [],
  actions: 0,
  nextTaskId: 0,
});

/**
 * Applies a line. A line that comes too late has no effect: any line after the end, and the outcome of a task of an
 * earlier execution.
 */
export const apply = (instance: Instance, line: Line): void => {
  if (instance.end !== undefined) return;
  switch (line.type) {
    case "start":
      throw new Error(`instance ${instance.start.instanceId} has a second start in its file`);
    case "message":
      if (awaits(instance, line.executionId, line.message)) instance.inbox.push(line.message);
      return;
    case "turn":
      applyTurn(instance, line);
      return;
    case "status":
      instance.customStatus = line.customStatus;
      instance.updatedAtMs = line.atMs;
      return;
    case "suspend":
      instance.suspended = line.suspended;
      instance.orderReason = line.reason;
      if (instance.history.length > 0) instance.history.push(suspendedEvent(line.suspended, line.reason, line.atMs));
      instance.updatedAtMs = line.atMs;
      return;
    case "terminate":
      instance.updatedAtMs = line.atMs;
      instance.history.push(terminatedEvent(line.output, line.atMs));
      finish(instance, { status: "Terminated", output: line.output, details: "" });
  }
};

/** Whether a message still has an effect: only the first outcome of a task counts, and only in the task's execution. */
export const awaits = (instance: Instance, executionId: string | undefined, message: Message): boolean => {
  if (instance.end !== undefined) return false;
  if (message.kind === "event") return true;
  if (executionId !== instance.start.executionId || !instance.pending.has(message.taskId)) return false;
  return !instance.inbox.some((known) => known.kind !== "event" && known.taskId === message.taskId);
};

/** The tasks that are still to be executed: the pending ones without an outcome in the inbox. */
export const unfinishedTasks = (instance: Instance): Task[] => {
  const known = new Set(instance.inbox.map((message) => (message.kind === "event" ? undefined : message.taskId)));
  return [...instance.pending.values()].filter((task) => !known.has(task.id));
};

const applyTurn = (instance: Instance, turn: Turn): void => {
  const taken = instance.inbox.splice(0, turn.took);
  const tasks = [...turn.followUps, ...turn.called];
  instance.history.push(...startedEvents(instance, turn.atMs, taken), ...completedEvents(instance.start, turn, tasks));
  for (const message of taken) if (message.kind !== "event") instance.pending.delete(message.taskId);
  for (const task of tasks) instance.pending.set(task.id, task);
  instance.largeInputs.push(...tasks.flatMap((task) => (task.kind === "timer" ? [] : largeOnes(task.input))));
  instance.called.push(...turn.called);
  instance.actions = turn.actions;
  instance.nextTaskId += tasks.length;
  instance.updatedAtMs = turn.atMs;
  instance.customStatus = turn.customStatus ?? instance.customStatus;
  if (turn.end !== undefined) finish(instance, turn.end);
};

const finish = (instance: Instance, end: End): void => {
  instance.end = end;
  instance.called = [];
  instance.pending.clear();
};

const largeOnes = (value: Value): Value[] => (typeof value === "string" ? [] : [value]);

/** Every value of the instance, large or not. */
export const valuesOf = ({ start, history, inbox, customStatus, end, largeInputs }: Instance): Value[] => [
  start.input,
  ...largeInputs,
  ...inbox.flatMap((message) => {
    if (message.kind === "completed") return message.result;
    return message.kind === "event" ? message.input : [];
  }),
  ...history.flatMap((event) => [event.Input ?? [], event.Result ?? []].flat()),
  ...(customStatus === undefined ? [] : [customStatus]),
  ...(end === undefined ? [] : [end.output]),
];
