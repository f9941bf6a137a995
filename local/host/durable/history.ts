import type { End, Message, Start, Task, Turn, Value } from "./record.ts";

/** Numbers of DurableTask.Core's EventType, as `history/HistoryEventType` of durable-functions 3.5 repeats them. */
export const EventType = {
  ExecutionStarted: 0,
  ExecutionCompleted: 1,
  ExecutionTerminated: 3,
  TaskScheduled: 4,
  TaskCompleted: 5,
  TaskFailed: 6,
  SubOrchestrationInstanceCreated: 7,
  SubOrchestrationInstanceCompleted: 8,
  SubOrchestrationInstanceFailed: 9,
  TimerCreated: 10,
  TimerFired: 11,
  OrchestratorStarted: 12,
  OrchestratorCompleted: 13,
  EventRaised: 15,
  ExecutionSuspended: 19,
  ExecutionResumed: 20,
} as const;

/** A history event with the property names DurableTask.Core serialises; `Input` and `Result` may be large. */
export interface HistoryEvent {
  readonly EventType: number;
  readonly EventId: number;
  readonly IsPlayed: boolean;
  readonly Timestamp: string;
  readonly Input?: Value;
  readonly Result?: Value;
  readonly [property: string]: unknown;
}

/** The outcome of another event has no number of its own. */
const NO_ID = -1;

const STATUS_NUMBERS = { Completed: 1, Failed: 3, Terminated: 5 } as const;

/** With seven digits, as .NET writes it. */
const isoTime = (atMs: number): string => new Date(atMs).toISOString().replace("Z", "0000Z");

/** The instance id of a sub-orchestration; by default DurableTask.Core makes it from the parent's execution. */
export const childId = (
  start: Pick<Start, "executionId">,
  task: Extract<Task, { kind: "sub-orchestration" }>,
): string => task.instanceId ?? `${start.executionId}:${task.id}`;

/**
 * The first events of a turn: its time, the start of the execution in the first turn, and the messages that it takes.
 */
export const startedEvents = (
  instance: { start: Start; history: readonly HistoryEvent[]; pending: ReadonlyMap<number, Task> },
  atMs: number,
  taken: readonly Message[],
): HistoryEvent[] => {
  const started = event(EventType.OrchestratorStarted, NO_ID, atMs, {});
  const first = instance.history.length === 0 ? [executionStarted(instance.start)] : [];
  return [started, ...first, ...taken.map((message) => messageEvent(message, instance.pending))];
};

/**
 * The last events of a turn: the tasks that it scheduled, the end of the execution, if any, and the end of the turn.
 */
export const completedEvents = (start: Start, turn: Turn, tasks: readonly Task[]): HistoryEvent[] => [
  ...tasks.map((task) => taskEvent(start, task, turn.atMs)),
  ...(turn.end === undefined ? [] : [executionCompleted(turn.end, turn.atMs, turn.actions)]),
  event(EventType.OrchestratorCompleted, NO_ID, turn.atMs, {}),
];

export const terminatedEvent = (reason: Value, atMs: number): HistoryEvent =>
  event(EventType.ExecutionTerminated, NO_ID, atMs, { Input: reason });

export const suspendedEvent = (suspended: boolean, reason: string, atMs: number): HistoryEvent =>
  event(suspended ? EventType.ExecutionSuspended : EventType.ExecutionResumed, NO_ID, atMs, { Reason: reason });

const executionCompleted = (end: End, atMs: number, eventId: number): HistoryEvent => {
  const { status, output } = end;
  const properties = { OrchestrationStatus: STATUS_NUMBERS[status], Result: output, FailureDetails: null };
  return event(EventType.ExecutionCompleted, eventId, atMs, properties);
};

const executionStarted = (start: Start): HistoryEvent => {
  const { instanceId, executionId, name, input, parent, generation } = start;
  return event(EventType.ExecutionStarted, NO_ID, start.atMs, {
    OrchestrationInstance: { InstanceId: instanceId, ExecutionId: executionId },
    ParentInstance:
      parent === undefined
        ? null
        : {
            Name: parent.name,
            OrchestrationInstance: { InstanceId: parent.instanceId, ExecutionId: parent.executionId },
            TaskScheduleId: parent.taskId,
            Version: "",
          },
    Name: name,
    Version: "",
    Input: input,
    Tags: null,
    Generation: generation,
  });
};

/** Without the input: Azure keeps it out unless `storeInputsInOrchestrationHistory` is set. */
const taskEvent = (start: Start, task: Task, atMs: number): HistoryEvent => {
  switch (task.kind) {
    case "activity":
      return event(EventType.TaskScheduled, task.id, atMs, { Name: task.name, Version: "" });
    case "sub-orchestration":
      return event(EventType.SubOrchestrationInstanceCreated, task.id, atMs, {
        Name: task.name,
        Version: "",
        InstanceId: childId(start, task),
      });
    case "timer":
      return event(EventType.TimerCreated, task.id, atMs, { FireAt: isoTime(task.fireAtMs) });
  }
};

const messageEvent = (message: Message, pending: ReadonlyMap<number, Task>): HistoryEvent => {
  if (message.kind === "event") {
    return event(EventType.EventRaised, NO_ID, message.atMs, { Name: message.name, Input: message.input });
  }
  const task = pending.get(message.taskId);
  const isSub = task?.kind === "sub-orchestration";
  switch (message.kind) {
    case "completed": {
      const type = isSub ? EventType.SubOrchestrationInstanceCompleted : EventType.TaskCompleted;
      return event(type, NO_ID, message.atMs, { TaskScheduledId: message.taskId, Result: message.result });
    }
    case "failed": {
      const type = isSub ? EventType.SubOrchestrationInstanceFailed : EventType.TaskFailed;
      const { taskId, reason, details } = message;
      return event(type, NO_ID, message.atMs, {
        TaskScheduledId: taskId,
        Reason: reason,
        Details: details ?? null,
        FailureDetails: null,
      });
    }
    case "timer-fired": {
      const fireAt = task?.kind === "timer" ? isoTime(task.fireAtMs) : isoTime(message.atMs);
      return event(EventType.TimerFired, NO_ID, message.atMs, { TimerId: message.taskId, FireAt: fireAt });
    }
  }
};

const event = (type: number, eventId: number, atMs: number, properties: Record<string, unknown>): HistoryEvent => ({
  EventType: type,
  ...properties,
  EventId: eventId,
  IsPlayed: false,
  Timestamp: isoTime(atMs),
});
