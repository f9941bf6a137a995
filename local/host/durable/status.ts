import { EventType, type HistoryEvent } from "./history.ts";
import { type Instance, type RuntimeStatus, runtimeStatus } from "./instance.ts";
import type { LargeValues } from "./large-values.ts";
import type { Value } from "./record.ts";

/** An instance as the extension's HTTP API shows it. Source: StatusResponsePayload.cs. */
export interface Status {
  readonly name: string;
  readonly instanceId: string;
  readonly runtimeStatus: RuntimeStatus;
  readonly input: unknown;
  readonly customStatus: unknown;
  readonly output: unknown;
  readonly createdTime: string;
  readonly lastUpdatedTime: string;
  readonly historyEvents?: unknown[];
}

export interface StatusOptions {
  readonly showInput: boolean;
  readonly showHistory: boolean;
  readonly showHistoryOutput: boolean;
}

/** `withHistory` is called only when the history is requested. */
export const statusOf = async (
  instance: Instance,
  values: LargeValues,
  options: StatusOptions,
  withHistory: () => Promise<Instance>,
): Promise<Status> => {
  const { start, customStatus, end } = instance;
  const parsed = async (value: Value | undefined): Promise<unknown> =>
    value === undefined ? null : JSON.parse(await values.read(value));
  const status = {
    name: start.name,
    instanceId: start.instanceId,
    runtimeStatus: runtimeStatus(instance),
    input: options.showInput ? await parsed(start.input) : null,
    customStatus: await parsed(customStatus),
    output: end === undefined ? (instance.orderReason ?? null) : await parsed(end.output),
    createdTime: seconds(start.createdAtMs),
    lastUpdatedTime: seconds(instance.updatedAtMs),
  };
  if (!options.showHistory) return status;
  const events = await values.readEvents((await withHistory()).history);
  return { ...status, historyEvents: historyView(events, options) };
};

const EVENT_NAMES = new Map<number, string>(Object.entries(EventType).map(([name, number]) => [number, name]));

/** The hidden fields of each kind of event. */
const HIDDEN: Readonly<Record<number, readonly string[]>> = {
  [EventType.TaskScheduled]: ["Version"],
  [EventType.TaskCompleted]: ["TaskScheduledId"],
  [EventType.TaskFailed]: ["TaskScheduledId"],
  [EventType.SubOrchestrationInstanceCreated]: ["Version"],
  [EventType.SubOrchestrationInstanceCompleted]: ["TaskScheduledId"],
  [EventType.SubOrchestrationInstanceFailed]: ["TaskScheduledId"],
  [EventType.ExecutionStarted]: ["Name", "OrchestrationInstance", "ParentInstance", "Version", "Tags"],
  [EventType.TimerFired]: ["TimerId"],
};

const ORCHESTRATION_STATUS: Readonly<Record<number, RuntimeStatus>> = { 1: "Completed", 3: "Failed", 5: "Terminated" };

/** The history for people: without turns, and each outcome joined with its scheduled task. Source: DurableClient.cs. */
const historyView = (events: readonly HistoryEvent[], { showInput, showHistoryOutput }: StatusOptions): unknown[] => {
  const scheduled = new Map<unknown, HistoryEvent>();
  const shown: Record<string, unknown>[] = [];
  const answered = new Set<HistoryEvent>();
  const views = new Map<HistoryEvent, Record<string, unknown>>();

  for (const event of events) {
    const type = event.EventType;
    if (type === EventType.OrchestratorStarted || type === EventType.OrchestratorCompleted) continue;
    const { EventId, IsPlayed: _, ...view } = event as HistoryEvent & Record<string, unknown>;
    if (type === EventType.TaskScheduled || type === EventType.SubOrchestrationInstanceCreated) {
      scheduled.set(EventId, event);
    }
    const cause = "TaskScheduledId" in event ? scheduled.get(event["TaskScheduledId"]) : undefined;
    if (cause !== undefined) answered.add(cause);
    views.set(event, { ...view, ...joined(event, cause), EventType: EVENT_NAMES.get(type) });
  }
  for (const [event, view] of views) {
    if (answered.has(event)) continue;
    const hidden = [...(HIDDEN[event.EventType] ?? []), ...(showInput ? [] : ["Input"])];
    if (!showHistoryOutput) hidden.push("Result");
    else if (typeof view["Result"] === "string") view["Result"] = JSON.parse(view["Result"]);
    shown.push(Object.fromEntries(Object.entries(view).filter(([key]) => !hidden.includes(key))));
  }
  return shown;
};

const joined = (event: HistoryEvent, cause: HistoryEvent | undefined): Record<string, unknown> => {
  if (cause !== undefined) return { ScheduledTime: cause.Timestamp, FunctionName: cause["Name"], Input: cause.Input };
  if (event.EventType === EventType.ExecutionStarted) return { FunctionName: event["Name"] };
  if (event.EventType !== EventType.ExecutionCompleted) return {};
  return { OrchestrationStatus: ORCHESTRATION_STATUS[Number(event["OrchestrationStatus"])] };
};

const seconds = (atMs: number): string => `${new Date(atMs).toISOString().slice(0, 19)}Z`;
