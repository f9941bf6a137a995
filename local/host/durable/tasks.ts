import type { Clock, WorkerPool } from "../contract.ts";
import { childId } from "./history.ts";
import type { InFlight } from "./in-flight.ts";
import { awaits } from "./instance.ts";
import type { LargeValues } from "./large-values.ts";
import type { LoadedInstance, LoadedInstances } from "./loaded-instances.ts";
import type { Parent, Start, Task, TaskMessage, Value } from "./record.ts";
import type { RegisteredFunctions } from "./registered-functions.ts";
import { type ActivityOutcome, runActivity } from "./run-function.ts";
import type { WorkQueue } from "./work-queue.ts";

export type DurableLog = (
  level: "information" | "warning" | "error",
  functionName: string | undefined,
  message: string,
) => void;

export interface StartRequest {
  readonly name: string;
  readonly instanceId: string;
  /** JSON text, or where it is. */
  readonly input: Value;
  readonly parent?: Parent;
  /** A new one when absent. */
  readonly executionId?: string;
}

/** Executes the tasks of orchestrators, and reports their outcomes. */
interface TaskRunner {
  /** Resolves once every child is on disk; activities and timers go on. */
  execute(loaded: LoadedInstance, tasks: readonly Task[]): Promise<void>;
  /** Reports the outcome of a task to its instance, unless that no longer waits for it. */
  report(loaded: LoadedInstance, executionId: string, taskId: number, outcome: ActivityOutcome): Promise<void>;
  cancelTimers(loaded: LoadedInstance): void;
  cancelAllTimers(): void;
}

interface Deps {
  readonly instances: LoadedInstances;
  readonly values: LargeValues;
  readonly clock: Clock;
  readonly inFlight: InFlight;
  /** The delay of a timer's message is cut to whole ones of these; 0: it is exact. */
  readonly timerGrainMs: number;
  readonly pool: Pick<WorkerPool, "invoke">;
  readonly activities: WorkQueue;
  readonly deliverActivitiesTwice: boolean;
  readonly log: DurableLog;
  readonly functions: () => RegisteredFunctions;
  readonly stopped: () => boolean;
  /** Starts a child, whoever is alive under its id. */
  readonly replace: (request: StartRequest) => Promise<unknown>;
  readonly wake: (loaded: LoadedInstance) => void;
  /** Keeps `stop` waiting for a write. */
  readonly track: <T>(work: Promise<T>) => Promise<T>;
}

type SubOrchestration = Extract<Task, { kind: "sub-orchestration" }>;
type Activity = Extract<Task, { kind: "activity" }>;
type Timer = Extract<Task, { kind: "timer" }>;

export const createTaskRunner = (deps: Deps): TaskRunner => {
  const { instances, values, clock, pool, activities, log, replace, wake, track, timerGrainMs } = deps;
  /** Functions that cancel the timers that are set. */
  const timers = new Map<LoadedInstance, Map<number, () => void>>();

  const execute = async (loaded: LoadedInstance, tasks: readonly Task[]): Promise<void> => {
    const { start } = loaded.instance;
    const children = tasks.filter((task) => task.kind === "sub-orchestration");
    for (const task of tasks) {
      if (task.kind === "timer") setTimer(loaded, start.executionId, task);
      if (task.kind === "activity") {
        const deliveries = deps.deliverActivitiesTwice ? 2 : 1;
        activities.push(() => callActivity(loaded, start.executionId, task, deliveries));
      }
    }
    await Promise.all(children.map((task) => startChild(start, task)));
  };

  const setTimer = (loaded: LoadedInstance, executionId: string, { id, fireAtMs }: Timer): void => {
    if (deps.stopped()) return;
    const set = timers.get(loaded) ?? new Map<number, () => void>();
    timers.set(loaded, set);
    const fire = () => {
      set.delete(id);
      // A message whose delay was cut comes early, and its turn is early as well.
      if (timerGrainMs === 0) loaded.latestMs = Math.max(loaded.latestMs, fireAtMs);
      void post(loaded, executionId, (atMs) => ({ kind: "timer-fired", atMs, taskId: id }));
    };
    set.set(id, clock.at(cutTo(timerGrainMs, fireAtMs, clock.now()), fire));
  };

  const cancelTimers = (loaded: LoadedInstance): void => {
    for (const cancelTimer of timers.get(loaded)?.values() ?? []) cancelTimer();
    timers.delete(loaded);
  };

  /** Each delivery reports its outcome; the first report counts. */
  const callActivity = async (loaded: LoadedInstance, executionId: string, task: Activity, deliveries: number) => {
    if (!isPending(loaded, executionId, task.id)) return;
    const { instanceId } = loaded.instance.start;
    const through = deps.inFlight.take(taskKey(executionId, task.id));
    const target = deps.functions().activity(task.name);
    const input = await values.read(task.input);
    const deliver = async () => {
      const outcome =
        target === undefined
          ? ({ kind: "failed", reason: `Activity function '${task.name}' is gone.`, details: "" } as const)
          : await runActivity(pool, target, input, instanceId);
      if (outcome.kind === "failed") log("warning", task.name, outcome.reason);
      await report(loaded, executionId, task.id, outcome);
    };
    await Promise.all(Array.from({ length: deliveries }, deliver));
    through();
  };

  const report = async (
    loaded: LoadedInstance,
    executionId: string,
    taskId: number,
    outcome: ActivityOutcome,
  ): Promise<void> => {
    if (!isPending(loaded, executionId, taskId)) return;
    const kept =
      outcome.kind === "failed"
        ? outcome
        : { ...outcome, result: await values.keep(loaded.instance.start.instanceId, outcome.result) };
    await post(loaded, executionId, (atMs) => ({ ...kept, atMs, taskId }));
  };

  const post = async (loaded: LoadedInstance, executionId: string, messageAt: (atMs: number) => TaskMessage) => {
    const message = messageAt(instances.now(loaded));
    if (deps.stopped() || !awaits(loaded.instance, executionId, message)) return;
    await track(instances.append(loaded, { type: "message", executionId, message }));
    wake(loaded);
  };

  const startChild = async (start: Start, task: SubOrchestration): Promise<void> => {
    const instanceId = childId(start, task);
    const parent = { instanceId: start.instanceId, name: start.name, executionId: start.executionId, taskId: task.id };
    if (isChild(instances.get(instanceId), parent)) return;
    await replace({ name: task.name, instanceId, input: await values.read(task.input), parent });
  };

  return {
    execute,
    report,
    cancelTimers,
    cancelAllTimers() {
      for (const loaded of [...timers.keys()]) cancelTimers(loaded);
    },
  };
};

/** How a task is noted while it is in flight. */
export const taskKey = (executionId: string, taskId: number): string => `${executionId} ${taskId}`;

/** When the message of a timer comes: its delay is cut to whole grains. */
const cutTo = (grainMs: number, fireAtMs: number, nowMs: number): number =>
  grainMs === 0 ? fireAtMs : nowMs + Math.floor(Math.max(0, fireAtMs - nowMs) / grainMs) * grainMs;

const isPending = ({ instance, replaced }: LoadedInstance, executionId: string, taskId: number): boolean =>
  !replaced && instance.start.executionId === executionId && instance.pending.has(taskId);

const isChild = (loaded: LoadedInstance | undefined, { instanceId, executionId, taskId }: Parent): boolean => {
  const parent = loaded?.instance.start.parent;
  return parent?.instanceId === instanceId && parent.executionId === executionId && parent.taskId === taskId;
};
