import type { Clock, WorkerPool } from "../contract.ts";
import type { FairQueue } from "./fair-queue.ts";
import { childId } from "./history.ts";
import { awaits } from "./instance.ts";
import { invalidInstanceId } from "./instance-id.ts";
import type { LargeValues } from "./large-values.ts";
import type { Parent, Start, Task, TaskMessage } from "./record.ts";
import type { RegisteredFunctions } from "./registered-functions.ts";
import type { Resident, Residents } from "./residents.ts";
import { type ActivityOutcome, runActivity } from "./run-function.ts";

export type DurableLog = (
  level: "information" | "warning" | "error",
  functionName: string | undefined,
  message: string,
) => void;

export interface StartRequest {
  readonly name: string;
  readonly instanceId: string;
  /** JSON text. */
  readonly input: string;
  readonly parent?: Parent;
}

/** Does what orchestrators call, and reports what it came to. */
interface TaskRunner {
  /** Resolves once every child is on disk; activities and timers take their time. */
  carryOut(resident: Resident, tasks: readonly Task[]): Promise<void>;
  /** Tells an instance what a task of its execution came to, unless it no longer waits for it. */
  report(resident: Resident, executionId: string, taskId: number, outcome: ActivityOutcome): Promise<void>;
  callOffTimers(resident: Resident): void;
  callOffAllTimers(): void;
}

interface Deps {
  readonly residents: Residents;
  readonly values: LargeValues;
  readonly clock: Clock;
  readonly pool: Pick<WorkerPool, "invoke">;
  readonly activities: FairQueue;
  readonly deliverActivitiesTwice: boolean;
  readonly log: DurableLog;
  readonly functions: () => RegisteredFunctions;
  readonly stopped: () => boolean;
  readonly startNew: (request: StartRequest) => Promise<"started" | "alive">;
  readonly wake: (resident: Resident) => void;
  /** Keeps `stop` waiting for a write. */
  readonly track: <T>(work: Promise<T>) => Promise<T>;
}

type SubOrchestration = Extract<Task, { kind: "sub-orchestration" }>;
type Activity = Extract<Task, { kind: "activity" }>;
type Timer = Extract<Task, { kind: "timer" }>;

export const createTaskRunner = (deps: Deps): TaskRunner => {
  const { residents, values, clock, pool, activities, log, startNew, wake, track } = deps;
  /** How to call off the timers that are set. */
  const timers = new Map<Resident, Map<number, () => void>>();

  const carryOut = async (resident: Resident, tasks: readonly Task[]): Promise<void> => {
    const { start } = resident.instance;
    const children = tasks.filter((task) => task.kind === "sub-orchestration");
    for (const task of tasks) {
      if (task.kind === "timer") setTimer(resident, start.executionId, task);
      if (task.kind === "activity") {
        const deliveries = deps.deliverActivitiesTwice ? 2 : 1;
        activities.push(start.instanceId, () => callActivity(resident, start.executionId, task, deliveries));
      }
    }
    await Promise.all(children.map((task) => startChild(resident, start, task)));
  };

  const setTimer = (resident: Resident, executionId: string, { id, fireAtMs }: Timer): void => {
    if (deps.stopped()) return;
    const set = timers.get(resident) ?? new Map<number, () => void>();
    timers.set(resident, set);
    const fire = () => {
      set.delete(id);
      resident.latestMs = Math.max(resident.latestMs, fireAtMs);
      void post(resident, executionId, (atMs) => ({ kind: "timer-fired", atMs, taskId: id }));
    };
    set.set(id, clock.at(fireAtMs, fire));
  };

  const callOffTimers = (resident: Resident): void => {
    for (const callOff of timers.get(resident)?.values() ?? []) callOff();
    timers.delete(resident);
  };

  /** Each delivery reports what it came to; the first report counts. */
  const callActivity = async (resident: Resident, executionId: string, task: Activity, deliveries: number) => {
    if (!isPending(resident, executionId, task.id)) return;
    const { instanceId } = resident.instance.start;
    const target = deps.functions().activity(task.name);
    const input = await values.read(task.input);
    const deliver = async () => {
      const outcome =
        target === undefined
          ? ({ kind: "failed", reason: `Activity function '${task.name}' is gone.`, details: "" } as const)
          : await runActivity(pool, target, input, instanceId);
      if (outcome.kind === "failed") log("warning", task.name, outcome.reason);
      await report(resident, executionId, task.id, outcome);
    };
    await Promise.all(Array.from({ length: deliveries }, deliver));
  };

  const report = async (
    resident: Resident,
    executionId: string,
    taskId: number,
    outcome: ActivityOutcome,
  ): Promise<void> => {
    if (!isPending(resident, executionId, taskId)) return;
    const kept =
      outcome.kind === "failed"
        ? outcome
        : { ...outcome, result: await values.keep(resident.instance.start.instanceId, outcome.result) };
    await post(resident, executionId, (atMs) => ({ ...kept, atMs, taskId }));
  };

  const post = async (resident: Resident, executionId: string, messageAt: (atMs: number) => TaskMessage) => {
    const message = messageAt(residents.now(resident));
    if (deps.stopped() || !awaits(resident.instance, executionId, message)) return;
    await track(residents.append(resident, { type: "message", executionId, message }));
    wake(resident);
  };

  const startChild = async (resident: Resident, start: Start, task: SubOrchestration): Promise<void> => {
    const instanceId = childId(start, task);
    const parent = { instanceId: start.instanceId, name: start.name, executionId: start.executionId, taskId: task.id };
    const refuse = (reason: string) =>
      report(resident, start.executionId, task.id, { kind: "failed", reason, details: "" });

    const invalid = invalidInstanceId(instanceId);
    if (invalid !== undefined) return refuse(invalid);
    if (isChild(residents.get(instanceId), parent)) return;
    const outcome = await startNew({ name: task.name, instanceId, input: await values.read(task.input), parent });
    if (outcome === "alive") {
      await refuse(
        `Sub-orchestration '${task.name}' was not started: an instance with the id '${instanceId}' is alive.`,
      );
    }
  };

  return {
    carryOut,
    report,
    callOffTimers,
    callOffAllTimers() {
      for (const resident of [...timers.keys()]) callOffTimers(resident);
    },
  };
};

const isPending = ({ instance }: Resident, executionId: string, taskId: number): boolean =>
  instance.start.executionId === executionId && instance.pending.has(taskId);

const isChild = (resident: Resident | undefined, { instanceId, executionId, taskId }: Parent): boolean => {
  const parent = resident?.instance.start.parent;
  return parent?.instanceId === instanceId && parent.executionId === executionId && parent.taskId === taskId;
};
