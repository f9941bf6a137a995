import { setTimeout as delay } from "node:timers/promises";
import type { Log } from "../log.ts";
import type { AppProcess, LoadedApp } from "./app-process.ts";

/** Delays before the restarts of a process that keeps dying: the first restart is immediate, the last delay repeats. */
const RESTART_DELAYS_MS = [0, 500, 1000, 2000, 5000];

/** A process that lived this long was healthy: its restart is immediate again. */
const HEALTHY_AFTER_MS = 30_000;

export interface Supervision {
  start(): AppProcess;
  /** Called with each process that has loaded the app. */
  ready(process: AppProcess, app: LoadedApp): void;
  /** Called at each death but those by a timeout; true for the one after which nothing is started again. */
  isLast(): boolean;
  readonly log: Log;
  /** Ends the supervision, not the process. */
  readonly signal: AbortSignal;
}

/** Starts a process, and again whenever it ends. Returns the app of the first one; throws when that cannot load it. */
export const keepRunning = async (supervision: Supervision): Promise<LoadedApp> => {
  const process = supervision.start();
  const app = await process.loaded;
  supervision.ready(process, app);
  void restartForever(process, supervision);
  return app;
};

const restartForever = async (first: AppProcess, { start, ready, isLast, log, signal }: Supervision): Promise<void> => {
  const logError = (message: string) => log({ level: "error", category: "Host.Worker", message });
  let process = first;
  let deaths = 0;
  for (;;) {
    const since = performance.now();
    const how = await process.exited;
    if (signal.aborted) return;
    if (!process.wasKilled && isLast())
      return logError("Exceeded language worker restart retry count. Shutting down and recycling the Functions Host.");
    logError(`The app's process ended (${how}); it is started again.`);

    if (performance.now() - since > HEALTHY_AFTER_MS) deaths = 0;
    await delay(RESTART_DELAYS_MS[Math.min(deaths, RESTART_DELAYS_MS.length - 1)], undefined, { ref: false });
    if (signal.aborted) return;
    deaths += 1;

    const next = start();
    next.loaded.then(
      (app) => ready(next, app),
      (error: Error) => {
        logError(`The app cannot be started again: ${error.message}`);
        next.kill();
      },
    );
    process = next;
  }
};
