import { randomUUID } from "node:crypto";
import {
  type Clock,
  FunctionTimeoutError,
  type Invocation,
  type InvocationResult,
  WorkerLostError,
  type WorkerPool,
} from "../contract.ts";
import type { Log } from "../log.ts";
import { StartError } from "../start-error.ts";
import { type AppProcess, type LoadedApp, startAppProcess } from "./app-process.ts";
import { writeChildProgram } from "./child-program.ts";
import { keepRunning } from "./keep-running.ts";
import { logInvocation } from "./log-invocation.ts";

const STOP_GRACE_MS = 10_000;

export interface WorkerPoolOptions {
  readonly appDir: string;
  /** Where the program of the app processes is written. */
  readonly dir: string;
  /** The number of app processes. */
  readonly size: number;
  /** The complete environment of the app processes. */
  readonly env: Readonly<Record<string, string>>;
  readonly log: Log;
  /** Flags for Node itself, such as `--max-old-space-size=256`. */
  readonly nodeFlags?: readonly string[];
  /** An invocation that takes longer fails, and its process is killed, as in Azure. Unlimited by default. */
  readonly functionTimeoutMs?: number | undefined;
  /** Absent: deaths do not count, and invocations wait for the next process. */
  readonly deaths?: Deaths | undefined;
}

/** How deaths of the app's processes count. */
interface Deaths {
  readonly clock: Clock;
  /** The third within this time is the last. */
  readonly windowMs: number;
  /** What is invoked so soon after a death fails; later, the host knows, and waits for the next process. */
  readonly unnoticedMs: number;
}

/** Where an invocation runs. */
export interface Dispatch {
  readonly invocationId: string;
  /** Where that process takes the HTTP request of this invocation, if its app streams. */
  readonly httpUri: string | undefined;
}

/** The app's processes, with more than running functions. */
export interface AppPool extends WorkerPool {
  /** Whether the app takes HTTP requests as streams (`app.setup({ enableHttpStream: true })`). */
  readonly streamsHttp: boolean;
  /** As {@link WorkerPool.invoke}; `dispatched` is called with the process of the invocation. */
  invoke(invocation: Invocation, dispatched?: (dispatch: Dispatch) => void): Promise<InvocationResult>;
  /** Resolves when processes have died too often. */
  readonly worn: Promise<void>;
  /** The processes that run now. */
  pids(): readonly number[];
  /** Runs the app's terminate hooks, then ends every process; invocations under way are lost. */
  stop(): Promise<void>;
}

/**
 * Starts the app's processes, and restarts any that dies.
 * @throws {StartError} with the app's own message when it cannot be loaded.
 */
export const startWorkerPool = async (options: WorkerPoolOptions): Promise<AppPool> => {
  const { size, log, functionTimeoutMs, deaths, nodeFlags = [] } = options;
  const program = await writeChildProgram(options.dir);
  const running = new Set<AppProcess>();
  const ready = readyProcesses();
  const stopping = new AbortController();

  const start = () => {
    const process = startAppProcess({ ...options, nodeFlags, program });
    running.add(process);
    void process.exited.then(() => {
      running.delete(process);
      toll.note(process);
    });
    return process;
  };

  const stop = async () => {
    stopping.abort();
    ready.close();
    await Promise.all(Array.from(running, (process) => process.stop(STOP_GRACE_MS)));
  };

  const toll = deathToll(deaths, size);
  const supervision = { start, ready: ready.add, log, signal: stopping.signal, isLast: toll.isLast };
  const [app] = await Promise.all([
    keepRunning(supervision),
    ...Array.from({ length: size - 1 }, () => keepRunning(supervision)),
  ]).catch(async (error: Error) => {
    await stop();
    throw new StartError(`The app cannot be started: ${error.message}`);
  });

  return {
    size,
    worn: toll.worn,
    streamsHttp: app.httpUri !== undefined,
    functions: async () => app.functions,
    pids: () => Array.from(running, ({ pid }) => pid),
    stop,
    async invoke(invocation, dispatched) {
      // Chosen and made busy in one step, or two invocations could find the same process idle.
      const found = ready.leastBusy();
      if (found === undefined && toll.fails(dispatched !== undefined, running)) throw noProcess();
      const { process, httpUri } = found ?? (await ready.next());
      const invocationId = randomUUID();
      const result = process.invoke(invocationId, invocation);
      dispatched?.({ invocationId, httpUri });
      const limited = withinTimeout(result, functionTimeoutMs, invocation.functionName, process);
      return logInvocation(log, invocation.functionName, invocationId, limited);
    },
  };
};

const noProcess = () => new WorkerLostError("Did not find any initialized language workers");

/** Deaths for each process that the real host takes before it ends. Source: RpcFunctionInvocationDispatcher.cs. */
const MAX_DEATHS = 3;

/** Counts the deaths of processes, where they count; those by the host's own hand do not end it. */
const deathToll = (deaths: Deaths | undefined, size: number) => {
  let times: number[] = [];
  let last: { readonly atMs: number; readonly wasKilled: boolean } | undefined;
  let wear = (): void => undefined;
  const worn = new Promise<void>((resolve) => {
    wear = resolve;
  });
  return {
    worn,
    note({ wasKilled }: AppProcess) {
      if (deaths !== undefined) last = { atMs: deaths.clock.now(), wasKilled };
    },
    /** Whether an invocation fails for which there is no process: each HTTP request, and others in a gap (observed). */
    fails(isRequest: boolean, running: ReadonlySet<AppProcess>): boolean {
      if (deaths === undefined) return false;
      const isBeingKilled = Array.from(running).some(({ wasKilled }) => wasKilled);
      if (isRequest || isBeingKilled || last === undefined) return true;
      return last.wasKilled || deaths.clock.now() - last.atMs < deaths.unnoticedMs;
    },
    isLast: (): boolean => {
      if (deaths === undefined) return false;
      const now = deaths.clock.now();
      times = [...times.filter((time) => now - time <= deaths.windowMs), now];
      const isLast = times.length >= MAX_DEATHS * size;
      if (isLast) wear();
      return isLast;
    },
  };
};

interface ReadyProcess {
  readonly process: AppProcess;
  readonly httpUri: string | undefined;
}

/** The processes that have loaded the app. */
const readyProcesses = () => {
  const ready = new Set<ReadyProcess>();
  const waiting: { resolve(process: ReadyProcess): void; reject(error: Error): void }[] = [];
  let closed = false;

  return {
    add(process: AppProcess, { httpUri }: LoadedApp) {
      const entry = { process, httpUri };
      ready.add(entry);
      void process.exited.then(() => ready.delete(entry));
      for (const { resolve } of waiting.splice(0)) resolve(entry);
    },
    close() {
      closed = true;
      for (const { reject } of waiting.splice(0)) reject(new WorkerLostError("The host is stopping."));
    },
    leastBusy(): ReadyProcess | undefined {
      return Array.from(ready)
        .filter(({ process }) => process.usable)
        .sort((a, b) => a.process.busy - b.process.busy)[0];
    },
    next(): Promise<ReadyProcess> {
      if (closed) return Promise.reject(new WorkerLostError("The host is stopping."));
      return new Promise((resolve, reject) => waiting.push({ resolve, reject }));
    },
  };
};

const withinTimeout = async (
  running: Promise<InvocationResult>,
  timeoutMs: number | undefined,
  functionName: string,
  process: AppProcess,
): Promise<InvocationResult> => {
  if (timeoutMs === undefined) return running;
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new FunctionTimeoutError(functionName, `${functionName} ran longer than ${timeoutMs / 1000} s.`, ""));
      process.kill();
    }, timeoutMs);
  });
  return Promise.race([running, timeout]).finally(() => clearTimeout(timer));
};
