import { randomUUID } from "node:crypto";
import type { Clock, WorkerPool } from "../contract.ts";
import { type FairQueue, fairQueue } from "./fair-queue.ts";
import { type Instance, unfinishedTasks } from "./instance.ts";
import type { LargeValues } from "./large-values.ts";
import type { End, Message, Start, Turn } from "./record.ts";
import { type RegisteredFunctions, registeredFunctions, unknownOrchestrator } from "./registered-functions.ts";
import { createResidents, type Resident } from "./residents.ts";
import { persistent, runOrchestrator } from "./run-function.ts";
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
  get(instanceId: string): Resident | undefined;
  all(): Resident[];
  withHistory(resident: Resident): Promise<Instance>;
  /** Starts an instance unless its id is alive; an ended one makes way. */
  startNew(request: StartRequest): Promise<"started" | "alive">;
  /** The event is lost when the instance ends before it waits for it. */
  raiseEvent(resident: Resident, name: string, input: string): Promise<void>;
  terminate(resident: Resident, output: string): Promise<void>;
  suspend(resident: Resident, suspended: boolean, reason: string): Promise<void>;
  /** Forgets an instance that has ended; false while it is alive. */
  purge(resident: Resident): Promise<boolean>;
}

export const createHub = (options: HubOptions): Hub => {
  const { store, values, clock, log } = options;
  const residents = createResidents({ store, values, clock, onEnd: (resident) => onEnd(resident) });
  const turns = fairQueue(() => options.maxConcurrentOrchestrators * options.pool.size);
  const activities = fairQueue(() => options.maxConcurrentActivities * options.pool.size);
  /** Ids that are being started or purged. */
  const reserved = new Set<string>();
  /** Residents with a turn that waits or runs: each has one at a time. */
  const busy = new Set<Resident>();
  /** Writes that `stop` waits for. */
  const underWay = new Set<Promise<unknown>>();
  let functions = registeredFunctions([]);
  let stopped = false;
  const pool = persistent(options.pool, () => stopped);
  const tasks = createTaskRunner({
    ...options,
    pool,
    residents,
    activities,
    functions: () => functions,
    stopped: () => stopped,
    startNew: (request) => startNew(request),
    wake: (resident) => wake(resident),
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

  const wake = (resident: Resident): void => {
    const { instance } = resident;
    const idle = instance.history.length > 0 && instance.inbox.length === 0;
    if (stopped || busy.has(resident) || instance.suspended || instance.end !== undefined || idle) return;
    busy.add(resident);
    turns.push(instance.start.instanceId, () => takeTurn(resident));
  };

  const takeTurn = async (resident: Resident): Promise<void> => {
    const { instance } = resident;
    if (instance.end === undefined) {
      const atMs = residents.now(resident);
      const taken = instance.inbox.slice(0, batchSize(instance, atMs));
      const answer = await ask(instance, taken, atMs);
      const outcome = interpretTurn(instance, taken, atMs, answer, functions);
      if (instance.end === undefined) await track(commit(resident, outcome));
    }
    busy.delete(resident);
    wake(resident);
  };

  const ask = async (instance: Instance, taken: readonly Message[], atMs: number) => {
    const target = functions.orchestrator(instance.start.name);
    if (target === undefined) return { failure: unknownOrchestrator(functions, instance.start.name), stack: "" };
    return runOrchestrator(pool, target, await triggerJson(instance, taken, atMs, values));
  };

  const commit = async (resident: Resident, outcome: Outcome): Promise<void> => {
    if (outcome.kind === "continue-as-new") return continueAsNew(resident, outcome);
    const turn = await offload(resident.instance.start.instanceId, outcome.turn);
    await residents.append(resident, turn);
    if (resident.instance.end === undefined) await tasks.carryOut(resident, [...turn.followUps, ...turn.called]);
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
    resident: Resident,
    { took, input, customStatus }: Extract<Outcome, { kind: "continue-as-new" }>,
  ): Promise<void> => {
    const old = resident.instance;
    const kept = await values.keep(old.start.instanceId, input);
    const status =
      customStatus === undefined ? old.customStatus : await values.keep(old.start.instanceId, customStatus);
    await residents.renew(resident, () => ({
      ...old.start,
      atMs: residents.now(resident),
      executionId: newId(),
      generation: old.start.generation + 1,
      input: kept,
      ...(status === undefined ? {} : { customStatus: status }),
      inbox: old.inbox.slice(took).filter(({ kind }) => kind === "event"),
      suspended: old.suspended,
    }));
    if (resident.instance !== old) tasks.callOffTimers(resident);
  };

  const startNew = async ({ name, instanceId, input, parent }: StartRequest): Promise<"started" | "alive"> => {
    const earlier = residents.get(instanceId);
    if (reserved.has(instanceId) || (earlier !== undefined && earlier.instance.end === undefined)) return "alive";
    reserved.add(instanceId);
    try {
      await earlier?.told;
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
      wake(await track(residents.add(start)));
      log("information", name, `${instanceId}: Started`);
      return "started";
    } finally {
      reserved.delete(instanceId);
    }
  };

  const onEnd = (resident: Resident): void => {
    const { start, end } = resident.instance;
    tasks.callOffTimers(resident);
    resident.told = tellParent(resident);
    if (end?.status === "Failed") void logFailure(start, end);
    else log("information", start.name, `${start.instanceId}: ${end?.status}`);
  };

  const logFailure = async (start: Start, end: End): Promise<void> => {
    log("error", start.name, `${start.instanceId}: ${plainText(await values.read(end.output))}`);
  };

  const tellParent = async ({ instance: { start, end } }: Resident): Promise<void> => {
    if (start.parent === undefined || end === undefined) return;
    const { instanceId, executionId, taskId } = start.parent;
    const parent = residents.get(instanceId);
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
      await residents.load();
      for (const resident of residents.all()) {
        if (resident.instance.end !== undefined) resident.told = tellParent(resident);
      }
      for (const resident of residents.all()) {
        if (resident.instance.end !== undefined) continue;
        await tasks.carryOut(resident, unfinishedTasks(resident.instance));
        wake(resident);
      }
    },
    async stop() {
      stopped = true;
      clear(turns, activities);
      tasks.callOffAllTimers();
      while (underWay.size > 0) await Promise.all(underWay);
      await store.close();
    },
    functions: () => functions,
    get: (instanceId) => residents.get(instanceId),
    all: () => residents.all(),
    withHistory: (resident) => residents.withHistory(resident),
    startNew,
    async raiseEvent(resident, name, input) {
      const kept = await values.keep(resident.instance.start.instanceId, input);
      const message: Message = { kind: "event", atMs: residents.now(resident), name, input: kept };
      await track(residents.append(resident, { type: "message", message }));
      wake(resident);
    },
    terminate: (resident, output) =>
      track(residents.append(resident, { type: "terminate", atMs: residents.now(resident), output })),
    async suspend(resident, suspended, reason) {
      await track(residents.append(resident, { type: "suspend", atMs: residents.now(resident), suspended, reason }));
      wake(resident);
    },
    async purge(resident) {
      const { instanceId } = resident.instance.start;
      if (resident.instance.end === undefined || reserved.has(instanceId)) return false;
      reserved.add(instanceId);
      try {
        await resident.told;
        await track(residents.remove(resident));
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
