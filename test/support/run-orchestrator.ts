import { setImmediate } from "node:timers/promises";
import type { OrchestrationHandler } from "durable-functions";
import { createHub, type Hub } from "../../local/host/durable/hub.ts";
import type { LargeValues } from "../../local/host/durable/large-values.ts";
import type { Line, Task } from "../../local/host/durable/record.ts";
import type { Store } from "../../local/host/durable/store.ts";
import { type HandClock, handClock } from "../local/host/durable/hub-under-test.ts";
import { driftGuard } from "./drift-guard.ts";

/** Stands in for an activity or a child orchestration; what it throws is thrown into the orchestrator. */
// biome-ignore lint/suspicious/noExplicitAny: a stub declares the input it expects, as in durable-functions
type Stub<Rest extends unknown[] = []> = (input: any, ...rest: Rest) => unknown;

interface RunOptions {
  readonly input: unknown;
  /** Without a stub of `read-wish` the job is told nothing, and its looks at that are no calls. */
  readonly activities?: Readonly<Record<string, Stub>>;
  /** Child orchestrations, which end at once with what the stub returns. */
  readonly orchestrators?: Readonly<Record<string, Stub<[instanceId: string]>>>;
  /** Child orchestrations that run as they are, with the same activities. */
  readonly children?: Readonly<Record<string, OrchestrationHandler>>;
  /** External events, each this long after the start. */
  readonly events?: readonly { readonly name: string; readonly data?: unknown; readonly afterMs: number }[];
  /** Whether a failed activity is tried again as its contract says; else its first failure is its last. */
  readonly retries?: boolean;
  /** How many activities run at the same time; else one after the other. */
  readonly activitiesAtOnce?: number;
  readonly instanceId?: string;
  readonly now?: Date;
}

/** What an orchestrator called, as it crossed the durable boundary. Retries of a call are not calls. */
interface Call {
  readonly name: string;
  readonly input: unknown;
  /** The id that a child orchestration was given. */
  readonly instanceId?: string;
}

interface Run {
  /** In the order in which they were scheduled. */
  readonly calls: readonly Call[];
  readonly output: unknown;
  /** The input of the next generation, which is not run. */
  readonly continuedAs: unknown;
  /** Each that differs from the one before, as seen from outside: the last one of a turn. */
  readonly customStatuses: readonly unknown[];
  /** What the orchestrator's own timers waited for, in milliseconds. */
  readonly timers: readonly number[];
  /** When it ended, by its own clock. */
  readonly ended: Date;
}

/** The orchestrator threw. `run` is what it did until then. */
export class OrchestratorFailedError extends Error {
  override readonly name = "OrchestratorFailedError";
  readonly run: Run;

  constructor(reason: string, run: Run) {
    super(reason);
    this.run = run;
  }
}

const NAME = "orchestrator-under-test";

/**
 * Runs one generation of an orchestrator on the library's replay executor and the local task hub, in memory and on a
 * clock that jumps to the next timer. Every value crosses as JSON, and after each completion the orchestrator is
 * replayed from its top.
 *
 * @throws {OrchestratorFailedError} when it throws; {Error} when a replay does anything else than the run before it, or
 * when it waits for what never comes.
 */
export const runOrchestrator = async (
  handler: OrchestrationHandler,
  { input, activities = {}, orchestrators = {}, children = {}, events = [], retries = true, ...options }: RunOptions,
): Promise<Run> => {
  const instanceId = options.instanceId ?? "instance";
  const startMs = (options.now ?? new Date("2026-11-22T01:00:00Z")).getTime();
  const clock = handClock(startMs);
  const pool = driftGuard(NAME, {
    activities: { "read-wish": () => ({ wish: "go-on" }), ...activities },
    orchestrators: {
      [NAME]: retries ? handler : withoutRetries(handler),
      ...Object.fromEntries(Object.entries(orchestrators).map(([name, stub]) => [name, childOf(stub)])),
      ...children,
    },
  });
  const record = recorder(instanceId, clock, () => void hub.stop());
  const hub: Hub = createHub({
    store: record.store,
    values: SMALL_VALUES,
    pool,
    clock,
    maxConcurrentActivities: options.activitiesAtOnce ?? 1,
    maxConcurrentOrchestrators: 1,
    deliverActivitiesTwice: false,
    log: () => undefined,
  });

  await hub.start();
  for (const { name, data = null, afterMs } of events) {
    clock.at(startMs + afterMs, () => {
      const resident = hub.get(instanceId);
      if (resident !== undefined) void hub.raiseEvent(resident, name, JSON.stringify(data));
    });
  }
  await hub.startNew({ name: NAME, instanceId, input: JSON.stringify(input) });
  const stuck = await untilEnded(record.ended, pool.running, clock);
  await hub.stop();

  const drift = pool.drift();
  if (drift !== undefined) throw new Error(`${handler.name} is not deterministic: ${drift}`);
  if (stuck) throw new Error(`${handler.name} waits for what never comes`);
  const run = record.run();
  return "read-wish" in activities ? run : { ...run, calls: run.calls.filter(({ name }) => name !== "read-wish") };
};

/** More generations than any orchestrator under test needs. */
const MAX_GENERATIONS = 1_000;

/**
 * Runs an orchestrator from generation to generation until it ends, each on the clock where the one before has ended.
 * What it called, showed and waited for is of all of them; `generations` is how many there were. `isOver` may end it
 * earlier, by what it continues as.
 *
 * @throws {OrchestratorFailedError} when one throws; {Error} when it does not end.
 */
export const runToEnd = async (
  handler: OrchestrationHandler,
  options: RunOptions,
  isOver: (continuedAs: unknown) => boolean = (continuedAs) => continuedAs === undefined,
): Promise<Run & { readonly generations: number }> => {
  const start = options.now ?? new Date("2026-11-22T01:00:00Z");
  let all: Run = {
    calls: [],
    output: undefined,
    continuedAs: options.input,
    customStatuses: [],
    timers: [],
    ended: start,
  };
  for (let generations = 1; generations <= MAX_GENERATIONS; generations += 1) {
    const passed = all.ended.getTime() - start.getTime();
    const events = (options.events ?? []).filter(({ afterMs }) => afterMs >= passed);
    const run = await runOrchestrator(handler, {
      ...options,
      input: all.continuedAs,
      now: all.ended,
      events: events.map((event) => ({ ...event, afterMs: event.afterMs - passed })),
    }).catch((error: unknown) => {
      throw error instanceof OrchestratorFailedError
        ? new OrchestratorFailedError(error.message, after(all, error.run))
        : error;
    });
    all = after(all, run);
    if (isOver(run.continuedAs)) return { ...all, generations };
  }
  throw new Error(`${handler.name} does not end`);
};

const after = (before: Run, run: Run): Run => ({
  ...run,
  calls: [...before.calls, ...run.calls],
  customStatuses: [...before.customStatuses, ...run.customStatuses],
  timers: [...before.timers, ...run.timers],
});

/** Lets time jump whenever nothing runs; true when there is nothing left to wait for, but no end. */
const untilEnded = async (ended: () => boolean, running: () => number, clock: HandClock): Promise<boolean> => {
  for (;;) {
    await setImmediate();
    if (ended()) return false;
    if (running() > 0) continue;
    const [next] = clock.waits();
    if (next === undefined) return true;
    clock.advance(next);
  }
};

const withoutRetries = (handler: OrchestrationHandler): OrchestrationHandler =>
  function* (context) {
    const { df } = context;
    df.callActivityWithRetry = (name, _, input) => df.callActivity(name, input);
    return yield* handler(context);
  };

const childOf = (stub: Stub<[instanceId: string]>): OrchestrationHandler =>
  // biome-ignore lint/correctness/useYield: it ends in its first turn
  function* (context) {
    return stub(context.df.getInput(), context.df.instanceId);
  };

/** A store that remembers what the instance's lines tell of its first generation. */
const recorder = (instanceId: string, clock: HandClock, onContinued: () => void) => {
  const calls: Call[] = [];
  const customStatuses: unknown[] = [];
  const timers: number[] = [];
  let end: { readonly status: string; readonly output: unknown } | undefined;
  let continuedAs: unknown;

  const noteStatus = (json: string | undefined): void => {
    if (json === undefined || json === JSON.stringify(customStatuses.at(-1))) return;
    customStatuses.push(JSON.parse(json));
  };
  const noteTask = (task: Task, atMs: number): void => {
    if (task.kind === "timer") {
      timers.push((task.finalAtMs ?? task.fireAtMs) - atMs);
      return;
    }
    const call: Call = { name: task.name, input: JSON.parse(textOf(task.input)) };
    const ownId = task.kind === "sub-orchestration" ? task.instanceId : undefined;
    calls.push(ownId === undefined ? call : { ...call, instanceId: ownId });
  };
  const note = (line: Line): void => {
    if (line.type === "turn") {
      for (const task of line.called) noteTask(task, line.atMs);
      noteStatus(line.customStatus && textOf(line.customStatus));
      end = line.end && { status: line.end.status, output: JSON.parse(textOf(line.end.output)) };
    }
    if (line.type === "start" && line.generation > 0) {
      noteStatus(line.customStatus && textOf(line.customStatus));
      continuedAs = JSON.parse(textOf(line.input));
      end = { status: "Completed", output: undefined };
      onContinued();
    }
  };
  const write = async (id: string, line: Line | undefined, durable: () => void): Promise<void> => {
    if (line === undefined || end !== undefined) return;
    if (id === instanceId) note(line);
    durable();
  };

  const store: Store = {
    readAll: async function* () {},
    read: async () => [],
    append: write,
    replace: async (id, line, durable) => write(id, line(), durable),
    remove: async () => undefined,
    close: async () => undefined,
  };
  return {
    store,
    ended: () => end !== undefined,
    run(): Run {
      const run = { calls, continuedAs, customStatuses, timers, ended: new Date(clock.now()) };
      if (end?.status !== "Completed") throw new OrchestratorFailedError(String(end?.output), { ...run, output: null });
      return { ...run, output: end.output };
    },
  };
};

/** Values stay where they are: nothing is written. */
const SMALL_VALUES: LargeValues = {
  keep: async (_, value) => value,
  keepTasks: async (_, tasks) => [...tasks],
  read: async (value) => textOf(value),
  readEvents: async (events) => [...events],
  forget: async () => undefined,
  forgetAll: async () => undefined,
};

const textOf = (value: string | { large: string }): string => {
  if (typeof value !== "string") throw new Error("a value has a file of its own");
  return value;
};
