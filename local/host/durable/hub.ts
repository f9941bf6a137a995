import { randomUUID } from "node:crypto";
import type { Clock, WorkerPool } from "../contract.ts";
import { type Profile, QUICK } from "../profile.ts";
import { type InFlight, NOTHING_IN_FLIGHT } from "./in-flight.ts";
import { hasBegun, type Instance, unfinishedTasks } from "./instance.ts";
import type { LargeValues } from "./large-values.ts";
import { createLoadedInstances, type LoadedInstance } from "./loaded-instances.ts";
import type { End, Message, Start, Task, Turn, Value } from "./record.ts";
import { type RegisteredFunctions, registeredFunctions, unknownOrchestrator } from "./registered-functions.ts";
import { runOrchestrator, untilStopped } from "./run-function.ts";
import type { Store } from "./store.ts";
import { createTaskRunner, type DurableLog, type StartRequest, taskKey } from "./tasks.ts";
import { triggerJson } from "./trigger.ts";
import { batchSize, interpretTurn, type Outcome, shownBy } from "./turn.ts";
import { type WorkQueue, workQueue } from "./work-queue.ts";

interface HubOptions {
  readonly store: Store;
  readonly values: LargeValues;
  readonly pool: WorkerPool;
  readonly clock: Clock;
  /** Both limits are for one app process, as in host.json. */
  readonly maxConcurrentActivities: number;
  readonly maxConcurrentOrchestrators: number;
  readonly deliverActivitiesTwice: boolean;
  readonly profile?: Profile;
  /** Absent: what was in flight goes on at once. */
  readonly inFlight?: InFlight;
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
  /** Starts an instance unless one with its id is alive and has begun; it replaces any other. */
  startNew(request: StartRequest): Promise<"started" | "alive">;
  /** The event is lost when the instance ends before it waits for the event. */
  raiseEvent(loaded: LoadedInstance, name: string, input: Value): Promise<void>;
  terminate(loaded: LoadedInstance, output: string): Promise<void>;
  suspend(loaded: LoadedInstance, suspended: boolean, reason: string): Promise<void>;
  /** Deletes an instance, alive or not; false when it is gone already. */
  purge(loaded: LoadedInstance): Promise<boolean>;
}

export const createHub = (options: HubOptions): Hub => {
  const { store, values, clock, log, profile = QUICK, inFlight = NOTHING_IN_FLIGHT } = options;
  const instances = createLoadedInstances({ store, values, clock, onEnd: (loaded) => onEnd(loaded) });
  const turns = workQueue(() => options.maxConcurrentOrchestrators * options.pool.size);
  const activities = workQueue(() => options.maxConcurrentActivities * options.pool.size);
  /** Instances whose turn a dead host had taken, which is not visible yet. */
  const held = new Set<LoadedInstance>();
  /** Ids of instances that are being purged, with what settles when they are gone. */
  const purging = new Map<string, Promise<void>>();
  /** Instances with a turn that waits or runs: each has one at a time. */
  const busy = new Set<LoadedInstance>();
  /** Writes that `stop` waits for. */
  const underWay = new Set<Promise<unknown>>();
  let functions = registeredFunctions([]);
  let stopped = false;
  const pool = untilStopped(options.pool, () => stopped, profile.deathsCount);
  const tasks = createTaskRunner({
    ...options,
    pool,
    instances,
    activities,
    inFlight,
    timerGrainMs: profile.delays.timerGrain,
    functions: () => functions,
    stopped: () => stopped,
    replace: (request) => replace(request),
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
    const idle = hasTurns(instance) && instance.inbox.length === 0;
    if (stopped || busy.has(loaded) || held.has(loaded) || loaded.replaced || instance.end !== undefined || idle)
      return;
    busy.add(loaded);
    turns.push(() => (instance.suspended ? peek(loaded) : takeTurn(loaded)));
  };

  const takeTurn = async (loaded: LoadedInstance): Promise<void> => {
    const { instance } = loaded;
    const through = inFlight.take(turnKey(instance));
    if (instance.end === undefined && !loaded.replaced) {
      const atMs = instances.now(loaded);
      const taken = instance.inbox.slice(0, batchSize(instance, atMs));
      const answer = await runTurn(instance, taken, atMs);
      const outcome = interpretTurn(instance, taken, atMs, answer, functions);
      if (instance.end === undefined && !loaded.replaced) await track(commit(loaded, outcome));
    }
    through();
    busy.delete(loaded);
    wake(loaded);
  };

  /**
   * While it is suspended, the orchestrator goes on at each message, and shows its custom status at once. What it calls
   * is called once it is resumed, when it is shown these messages again.
   */
  const peek = async (loaded: LoadedInstance): Promise<void> => {
    const { instance } = loaded;
    const seen = instance.inbox.length;
    const atMs = instances.now(loaded);
    const answer = await runTurn(instance, instance.inbox, atMs);
    const shown = instance.suspended ? shownBy(answer) : undefined;
    if (shown !== undefined) {
      const customStatus = await values.keep(instance.start.instanceId, shown);
      await track(instances.append(loaded, { type: "status", atMs, customStatus }));
    }
    busy.delete(loaded);
    if (!instance.suspended || instance.inbox.length > seen) wake(loaded);
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
      createdAtMs: instances.now(loaded),
      executionId: newId(),
      generation: old.start.generation + 1,
      input: kept,
      ...(status === undefined ? {} : { customStatus: status }),
      inbox: old.inbox.slice(took).filter(({ kind }) => kind === "event"),
      suspended: old.suspended,
    }));
    if (loaded.instance !== old) tasks.cancelTimers(loaded);
  };

  const startNew = async (request: StartRequest): Promise<"started" | "alive"> => {
    if (hasBegunAlive(request.instanceId)) return "alive";
    return replace(request);
  };

  const hasBegunAlive = (instanceId: string): boolean => {
    const instance = instances.get(instanceId)?.instance;
    return instance !== undefined && instance.end === undefined && hasBegun(instance);
  };

  const replace = async (request: StartRequest): Promise<"started" | "alive"> => {
    const { name, instanceId, input, parent, executionId = newId() } = request;
    const earlier = instances.get(instanceId);
    await earlier?.parentNotified;
    await purging.get(instanceId);
    const atMs = Math.floor(clock.now());
    const start: Start = {
      type: "start",
      version: 1,
      atMs,
      createdAtMs: atMs,
      instanceId,
      name,
      executionId,
      generation: 0,
      input: await values.keep(instanceId, input),
      ...(parent === undefined ? {} : { parent }),
      inbox: [],
      suspended: false,
    };
    // It may have begun meanwhile; only a child replaces it then.
    if (parent === undefined && hasBegunAlive(instanceId)) return "alive";
    const added = track(instances.add(start));
    if (earlier !== undefined) tasks.cancelTimers(earlier);
    wake(await added);
    log("information", name, `${instanceId}: Started`);
    return "started";
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
        : ({ kind: "failed", reason: plainText(output), ...detailsOf(end) } as const);
    await track(tasks.report(parent, executionId, taskId, outcome));
  };

  /** Goes on with what no dead host had taken; returns what goes on with the rest. */
  const resume = async (loaded: LoadedInstance): Promise<() => void> => {
    const { instance } = loaded;
    const isTaken = ({ id }: Task): boolean => inFlight.left.has(taskKey(instance.start.executionId, id));
    const unfinished = unfinishedTasks(instance);
    const later = unfinished.filter(isTaken);
    if (inFlight.left.has(turnKey(instance))) held.add(loaded);
    await tasks.execute(
      loaded,
      unfinished.filter((task) => !isTaken(task)),
    );
    wake(loaded);
    return () => {
      void tasks.execute(loaded, later);
      wake(loaded);
    };
  };

  return {
    async start() {
      functions = registeredFunctions(await options.pool.functions());
      await instances.load();
      for (const loaded of instances.all()) {
        if (loaded.instance.end !== undefined) loaded.parentNotified = notifyParent(loaded);
      }
      const alive = instances.all().filter(({ instance }) => instance.end === undefined);
      const visibleLater = await Promise.all(alive.map(resume));
      if (inFlight.left.size === 0) return;
      clock.at(clock.now() + profile.delays.invisible, () => {
        inFlight.forgetLeft();
        held.clear();
        for (const goOn of visibleLater) goOn();
      });
    },
    async stop() {
      stopped = true;
      clear(turns, activities);
      tasks.cancelAllTimers();
      while (underWay.size > 0) await Promise.all(underWay);
      inFlight.clear();
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
      await loaded.parentNotified;
      if (loaded.replaced) return false;
      tasks.cancelTimers(loaded);
      const { instanceId } = loaded.instance.start;
      const gone = track(instances.remove(loaded));
      purging.set(instanceId, gone);
      await gone;
      purging.delete(instanceId);
      return true;
    },
  };
};

const newId = (): string => randomUUID().replaceAll("-", "");

/** Whether a turn of this generation was taken. */
const hasTurns = ({ history }: Instance): boolean => history.length > 0;

/** How a turn is noted while it is in flight. */
const turnKey = ({ start }: Instance): string => `${start.executionId} turn`;

/** What the parent of a child that failed is told; a terminated one has nothing to tell. */
const detailsOf = ({ status, details }: End): { details?: string } => (status === "Terminated" ? {} : { details });

const clear = (...queues: readonly WorkQueue[]): void => {
  for (const queue of queues) queue.clear();
};

/** A failure's text; an output that is not a string stays JSON. */
const plainText = (json: string): string => {
  const value: unknown = JSON.parse(json);
  return typeof value === "string" ? value : json;
};
