import { type ChildProcess, fork } from "node:child_process";
import { constants } from "node:os";
import { createInterface } from "node:readline";
import {
  FunctionFailedError,
  type FunctionInfo,
  type Invocation,
  type InvocationResult,
  WorkerLostError,
} from "../contract.ts";
import type { Log, LogEntry } from "../log.ts";
import type { FromWorker, ToWorker } from "./protocol.ts";
import { parseWorkerMessage } from "./worker-message.ts";

/** What an app process reports once its app is loaded. */
export interface LoadedApp {
  readonly functions: readonly FunctionInfo[];
  /** Where this process takes HTTP requests as streams, if its app requested that. */
  readonly httpUri: string | undefined;
}

export interface AppProcess {
  readonly pid: number;
  /** Rejects with the app's own message when it cannot be loaded; also when the process ends before that. */
  readonly loaded: Promise<LoadedApp>;
  /** Resolves when the process has ended, with how it ended. */
  readonly exited: Promise<string>;
  /** Whether it accepts work: false once it is stopping or has ended. */
  readonly usable: boolean;
  /** Whether this host has killed it. */
  readonly wasKilled: boolean;
  /** Invocations under way. */
  readonly busy: number;
  invoke(id: string, invocation: Invocation): Promise<InvocationResult>;
  /** Asks the app to end; kills it after `graceMs`. */
  stop(graceMs: number): Promise<void>;
  kill(): void;
}

export interface AppProcessOptions {
  readonly program: string;
  readonly appDir: string;
  readonly env: Readonly<Record<string, string>>;
  readonly nodeFlags: readonly string[];
  readonly log: Log;
}

interface Pending {
  readonly functionName: string;
  resolve(result: InvocationResult): void;
  reject(error: Error): void;
}

/** Starts one process that runs the app. It ends by itself when this process ends. */
export const startAppProcess = ({ program, appDir, env, nodeFlags, log }: AppProcessOptions): AppProcess => {
  const child = fork(program, [], {
    cwd: appDir,
    env,
    execArgv: [...nodeFlags],
    serialization: "advanced",
    stdio: ["ignore", "pipe", "pipe", "ipc"],
  });
  const pending = new Map<string, Pending>();
  const loaded = deferred<LoadedApp>();
  let usable = true;
  let wasKilled = false;

  const handle = (message: FromWorker | undefined) => {
    if (message === undefined) {
      return log({
        level: "warning",
        category: "Host.Worker",
        message: "The app sent a message that is not meant for the host.",
      });
    }
    if (message.kind === "started") return loaded.resolve({ functions: message.functions, httpUri: message.httpUri });
    if (message.kind === "refused") return loaded.reject(new Error(message.message));
    if (message.kind === "log") return log(toLogEntry(message));
    const invocation = pending.get(message.id);
    pending.delete(message.id);
    if (message.kind === "done") return invocation?.resolve(message.result);
    invocation?.reject(new FunctionFailedError(invocation.functionName, message.message, message.stack));
  };

  child.on("message", (message) => handle(parseWorkerMessage(message)));
  forwardOutput(child, log);

  const exited = new Promise<string>((resolve) => {
    const end = (how: string, code: number) => {
      usable = false;
      loaded.reject(new Error(`the app's process ended while loading (${how})`));
      for (const { reject } of pending.values()) reject(lost(code));
      pending.clear();
      resolve(how);
    };
    child.once("exit", (code, signal) =>
      signal === null ? end(`exit code ${code}`, code ?? 0) : end(signal, SIGNAL_CODES + constants.signals[signal]),
    );
    child.once("error", (error) => end(error.message, 1));
  });

  const send = (message: ToWorker) => {
    // A message that cannot be sent is lost with the process, whose end is handled above.
    if (child.connected) child.send(message, () => {});
  };
  send({ kind: "start", appDir });

  return {
    pid: child.pid ?? 0,
    loaded: loaded.promise,
    exited,
    get usable() {
      return usable;
    },
    get wasKilled() {
      return wasKilled;
    },
    get busy() {
      return pending.size;
    },
    invoke: (id, invocation) =>
      new Promise((resolve, reject) => {
        if (!usable) return reject(new WorkerLostError("Did not find any initialized language workers"));
        pending.set(id, { functionName: invocation.functionName, resolve, reject });
        send({ kind: "invoke", id, invocation });
      }),
    async stop(graceMs) {
      usable = false;
      send({ kind: "stop" });
      const timer = setTimeout(() => child.kill("SIGKILL"), graceMs);
      await exited;
      clearTimeout(timer);
    },
    kill() {
      usable = false;
      wasKilled = true;
      child.kill("SIGKILL");
    },
  };
};

/** A process that a signal ends has this code and the signal's number. */
const SIGNAL_CODES = 128;

/** In the words of the real host. */
const lost = (code: number) =>
  new WorkerLostError(`node exited with code ${code} (0x${code.toString(16).toUpperCase()})`);

const deferred = <T>() => {
  let resolve: (value: T) => void = () => {};
  let reject: (error: Error) => void = () => {};
  const promise = new Promise<T>((res, rej) => {
    resolve = res;
    reject = rej;
  });
  // It may be rejected when nobody waits for it any more.
  promise.catch(() => {});
  return { promise, resolve, reject };
};

const toLogEntry = ({ level, source, functionName, message }: FromWorker & { kind: "log" }): LogEntry => {
  const lowest = level === "none" ? "information" : level;
  if (functionName === undefined) return { level: lowest, category: "Host.Worker", message };
  const category = source === "user" ? `Function.${functionName}.User` : `Function.${functionName}`;
  return { level: lowest, category, functionName, message };
};

const forwardOutput = ({ stdout, stderr }: ChildProcess, log: Log): void => {
  const forward = (stream: NodeJS.ReadableStream | null, level: LogEntry["level"]) => {
    if (stream === null) return;
    const lines = createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY });
    lines.on("line", (message) => log({ level, category: "Host.Function.Console", message }));
  };
  forward(stdout, "information");
  forward(stderr, "error");
};
