import { randomUUID } from "node:crypto";
import type { Clock, WorkerPool } from "../contract.ts";
import { type FairQueue, fairQueue } from "./fair-queue.ts";
import { type Instance, unfinishedTasks } from "./instance.ts";
import type { LargeValues } from "./large-values.ts";
import { createLoadedInstances, type LoadedInstance } from "./loaded-instances.ts";
import type { End, Message, Start, Turn } from "./record.ts";
import { type RegisteredFunctions, registeredFunctions, unknownOrchestrator } from "./registered-functions.ts";
import { redelivering, runOrchestrator } from "./run-function.ts";
import type { Store } from "./store.ts";
import { createTaskRunner, type DurableLog, type StartRequest } from "./tasks.ts";
import { triggerJson } from "./trigger.ts";
import { batchSize, interpretTurn, type Outcome } from "./turn.ts";

interface HubOptions {
  readonly store: Store;
  readonly values: LargeValues;
  readonly pool: WorkerPool;
  readonly clock: Clock;
  /** Both limits are for one app process, as in host.json. */
  readonly maxConcurrentActivities: number;
  readonly maxConcurrentOrchestrators: number;
  readonly deliverActivitiesTwice: boolean;
  readonly log: DurableLog;
}

/** The orchestrations of one task hub. Every change is on disk once its promise resolves. */
export interface Hub {
  start(): Promise<void>;
  stop(): Promise<void>;
  functions(): RegisteredFunctions;
  get(instanceId: string): LoadedInstance | undefined;
  all(): LoadedInstance[];
  withHistory(loaded: LoadedInstance): Promise<Instance>;
  /** Starts an instance unless one with its id is alive; it replaces an ended one. */
  startNew(request: StartRequest): Promise<"started" | "alive">;
  /** The event is lost when the instance ends before it waits for the event. */
  raiseEvent(loaded: LoadedInstance, name: string, input: string): Promise<void>;
  terminate(loaded: LoadedInstance, output: string): Promise<void>;
  suspend(loaded: LoadedInstance, suspended: boolean, reason: string): Promise<void>;
  /** Deletes an ended instance; false while it is alive. */
  purge(loaded: LoadedInstance): Promise<boolean>;
}

export const createHub = (options: HubOptions): Hub => {
  const { store, values, clock, log } = options;
  const instances = createLoadedInstances({ store, values, clock, onEnd: (loaded) => onEnd(loaded) });
  const turns = fairQueue(() => options.maxConcurrentOrchestrators * options.pool.size);
  const activities = fairQueue(() => options.maxConcurrentActivities * options.pool.size);
  /** Ids that are being started or purged. */
  const reserved = new Set<string>();
  /** Instances with a turn that waits or runs: each has one at a time. */
  const busy = new Set<LoadedInstance>();
  /** Writes that `stop` waits for. */
  const underWay = new Set<Promise<unknown>>();
  let functions = registeredFunctions([]);
  let stopped = false;
  const pool = redelivering(options.pool, () => stopped);
  const tasks = createTaskRunner({
    ...options,
    pool,
    instances,
    activities,
    functions: () => functions,
    stopped: () => stopped,
    startNew: (request) => startNew(request),
    wake: (loaded) => wake(loaded),
    track: (work) => track(work),
  });

  const track = async <T>(work: Promise<T>): Promise<T> => {
    underWay.add(work);
    try {
      return await work;
    } finally {
      underWay.delete(work);
    }
  };

  const wake = (loaded: LoadedInstance): void => {
    const { instance } = loaded;
    const idle = instance.history.length > 0 && instance.inbox.length === 0;
    if (stopped || busy.has(loaded) || instance.suspended || instance.end !== undefined || idle) return;
    busy.add(loaded);
    turns.push(instance.start.instanceId, () => takeTurn(loaded));
  };

  const takeTurn = async (loaded: LoadedInstance): Promise<void> => {
    const { instance } = loaded;
    if (instance.end === undefined) {
      const atMs = instances.now(loaded);
      const taken = instance.inbox.slice(0, batchSize(instance, atMs));
      const answer = await runTurn(instance, taken, atMs);
      const outcome = interpretTurn(instance, taken, atMs, answer, functions);
      if (instance.end === undefined) await track(commit(loaded, outcome));
    }
    busy.delete(loaded);
    wake(loaded);
  };

  const runTurn = async (instance: Instance, taken: readonly Message[], atMs: number) => {
    const target = functions.orchestrator(instance.start.name);
    if (target === undefined) return { failure: unknownOrchestrator(functions, instance.start.name), stack: "" };
    return runOrchestrator(pool, target, await triggerJson(instance, taken, atMs, values));
  };

  const commit = async (loaded: LoadedInstance, outcome: Outcome): Promise<void> => {
    if (outcome.kind === "continue-as-new") return continueAsNew(loaded, outcome);
    const turn = await offload(loaded.instance.start.instanceId, outcome.turn);
    await instances.append(loaded, turn);
    if (loaded.instance.end === undefined) await tasks.execute(loaded, [...turn.followUps, ...turn.called]);
  };

  const offload = async (id: string, turn: Turn): Promise<Turn> => {
    const { customStatus, end } = turn;
    return {
      ...turn,
      followUps: await values.keepTasks(id, turn.followUps),
      called: await values.keepTasks(id, turn.called),
      ...(customStatus === undefined ? {} : { customStatus: await values.keep(id, customStatus) }),
      ...(end === undefined ? {} : { end: { ...end, output: await values.keep(id, end.output) } }),
    };
  };

  const continueAsNew = async (
    loaded: LoadedInstance,
    { took, input, customStatus }: Extract<Outcome, { kind: "continue-as-new" }>,
  ): Promise<void> => {
    const old = loaded.instance;
    const kept = await values.keep(old.start.instanceId, input);
    const status =
      customStatus === undefined ? old.customStatus : await values.keep(old.start.instanceId, customStatus);
    await instances.renew(loaded, () => ({
      ...old.start,
      atMs: instances.now(loaded),
      executionId: newId(),
      generation: old.start.generation + 1,
      input: kept,
      ...(status === undefined ? {} : { customStatus: status }),
      inbox: old.inbox.slice(took).filter(({ kind }) => kind === "event"),
      suspended: old.suspended,
    }));
    if (loaded.instance !== old) tasks.cancelTimers(loaded);
  };

  const startNew = async ({ name, instanceId, input, parent }: StartRequest): Promise<"started" | "alive"> => {
    const earlier = instances.get(instanceId);
    if (reserved.has(instanceId) || (earlier !== undefined && earlier.instance.end === undefined)) return "alive";
    reserved.add(instanceId);
    try {
      await earlier?.parentNotified;
      const atMs = Math.floor(clock.now());
      const start: Start = {
        type: "start",
        version: 1,
        atMs,
        createdAtMs: atMs,
        instanceId,
        name,
        executionId: newId(),
        generation: 0,
        input: await values.keep(instanceId, input),
        ...(parent === undefined ? {} : { parent }),
        inbox: [],
        suspended: false,
      };
      wake(await track(instances.add(start)));
      log("information", name, `${instanceId}: Started`);
      return "started";
    } finally {
      reserved.delete(instanceId);
    }
  };

  const onEnd = (loaded: LoadedInstance): void => {
    const { start, end } = loaded.instance;
    tasks.cancelTimers(loaded);
    loaded.parentNotified = notifyParent(loaded);
    if (end?.status === "Failed") void logFailure(start, end);
    else log("information", start.name, `${start.instanceId}: ${end?.status}`);
  };

  const logFailure = async (start: Start, end: End): Promise<void> => {
    log("error", start.name, `${start.instanceId}: ${plainText(await values.read(end.output))}`);
  };

  const notifyParent = async ({ instance: { start, end } }: LoadedInstance): Promise<void> => {
    if (start.parent === undefined || end === undefined) return;
    const { instanceId, executionId, taskId } = start.parent;
    const parent = instances.get(instanceId);
    if (parent === undefined) return;
    const output = await values.read(end.output);
    const outcome =
      end.status === "Completed"
        ? ({ kind: "completed", result: output } as const)
        : ({ kind: "failed", reason: plainText(output), details: end.details } as const);
    await track(tasks.report(parent, executionId, taskId, outcome));
  };

  return {
    async start() {
      functions = registeredFunctions(await options.pool.functions());
      await instances.load();
      for (const loaded of instances.all()) {
        if (loaded.instance.end !== undefined) loaded.parentNotified = notifyParent(loaded);
      }
      for (const loaded of instances.all()) {
        if (loaded.instance.end !== undefined) continue;
        await tasks.execute(loaded, unfinishedTasks(loaded.instance));
        wake(loaded);
      }
    },
    async stop() {
      stopped = true;
      clear(turns, activities);
      tasks.cancelAllTimers();
      while (underWay.size > 0) await Promise.all(underWay);
      await store.close();
    },
    functions: () => functions,
    get: (instanceId) => instances.get(instanceId),
    all: () => instances.all(),
    withHistory: (loaded) => instances.withHistory(loaded),
    startNew,
    async raiseEvent(loaded, name, input) {
      const kept = await values.keep(loaded.instance.start.instanceId, input);
      const message: Message = { kind: "event", atMs: instances.now(loaded), name, input: kept };
      await track(instances.append(loaded, { type: "message", message }));
      wake(loaded);
    },
    terminate: (loaded, output) =>
      track(instances.append(loaded, { type: "terminate", atMs: instances.now(loaded), output })),
    async suspend(loaded, suspended, reason) {
      await track(instances.append(loaded, { type: "suspend", atMs: instances.now(loaded), suspended, reason }));
      wake(loaded);
    },
    async purge(loaded) {
      const { instanceId } = loaded.instance.start;
      if (loaded.instance.end === undefined || reserved.has(instanceId)) return false;
      reserved.add(instanceId);
      try {
        await loaded.parentNotified;
        await track(instances.remove(loaded));
        return true;
      } finally {
        reserved.delete(instanceId);
      }
    },
  };
};

const newId = (): string => randomUUID().replaceAll("-", "");

const clear = (...queues: readonly FairQueue[]): void => {
  for (const queue of queues) queue.clear();
};

/** A failure's text; an output that is not a string stays JSON. */
const plainText = (json: string): string => {
  const value: unknown = JSON.parse(json);
  return typeof value === "string" ? value : json;
};
