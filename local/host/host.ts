import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import type { DurableDeps } from "./connect-task-hub.ts";
import type { Clock, DurableExtension, Group } from "./contract.ts";
import { keptKeys } from "./keys.ts";
import { filteredLog, type Log } from "./log.ts";
import { type Profile, QUICK } from "./profile.ts";
import { serveApp } from "./serve-app.ts";
import { type NodeHandler, serve } from "./server.ts";
import { readHostConfig, type Settings, workerArguments } from "./settings.ts";
import { StartError } from "./start-error.ts";
import type { HttpRoute } from "./triggers/http.ts";
import type { TurnTime } from "./turn-times.ts";
import { startWorkerPool } from "./worker/pool.ts";

export interface HostOptions {
  /** The folder that holds host.json and package.json. */
  readonly appDir: string;
  /** 0 for a free one. */
  readonly port: number;
  /** Where timers and the task hub keep their files, which outlive a host. */
  readonly dataDir: string;
  /** The environment of the app, and the values of `%NAME%`. */
  readonly settings: Settings;
  readonly clock: Clock;
  /** The number of processes that run the app. */
  readonly workers: number;
  /** Another durable extension than the task hub, or none. */
  readonly durable?: (deps: DurableDeps) => DurableExtension | undefined;
  /** What `/admin` and the webhooks ask for; when absent, that of an earlier start in the folder, or a new one. */
  readonly masterKey?: string | undefined;
  /** Which behaviour and delays of the real host; {@link QUICK} when absent. */
  readonly profile?: Profile;
  /** What of the app it runs: all of it when absent. Another host in the same folder runs the rest. */
  readonly group?: Group;
  /** Gets the entries that pass host.json's log levels. */
  readonly log: Log;
  readonly nodeFlags?: readonly string[];
  readonly deliverActivitiesTwice?: boolean;
  /** The times that instances live by; those of the clock when absent. */
  readonly turnTime?: TurnTime | undefined;
}

export interface Host {
  readonly url: string;
  readonly masterKey: string;
  /** Resolves when the app's processes have died too often: such a host ends. */
  readonly worn: Promise<void>;
  readonly functions: readonly { readonly name: string; readonly triggerType: string }[];
  readonly routes: readonly HttpRoute[];
  /** The app's processes. */
  pids(): readonly number[];
  /** Stops in order: timers and new requests, requests under way (2 s), the task hub, the app, the server. */
  stop(): Promise<void>;
}

/**
 * Starts a Functions host for one app on 127.0.0.1. Requests that come before the app is loaded wait for it.
 * @throws {StartError} with one line when the port is in use, or when the app, its bundle or its settings are not
 * valid.
 */
export const startHost = async (options: HostOptions): Promise<Host> => {
  const { profile = QUICK, group = "all" } = options;
  const appDir = resolve(options.appDir);
  const config = readHostConfig(appDir);
  const log = filteredLog(config.logging.logLevel, options.log);
  if (!existsSync(join(appDir, "package.json"))) throw new StartError(`${appDir} holds no package.json`);

  const keys = await keptKeys(options.dataDir, options.masterKey);
  const started = startedGate();
  const server = await serve(options.port, (request, response) => started.handle(request, response), log);
  try {
    const pool = await startWorkerPool({
      appDir,
      dir: join(options.dataDir, group),
      size: options.workers,
      env: { ...options.settings, ...hostEnvironment(appDir, server.url) },
      log,
      nodeFlags: [...workerArguments(options.settings), ...(options.nodeFlags ?? [])],
      functionTimeoutMs: config.functionTimeout,
      deaths: profile.deathsCount ? deathsBy(options.clock, profile) : undefined,
    });
    try {
      const app = await serveApp({ ...options, log, config, pool, url: server.url, keys, profile, group });
      started.open(app.handle);
      return {
        url: server.url,
        masterKey: keys.master,
        worn: pool.worn,
        functions: app.functions.map(({ name, trigger }) => ({ name, triggerType: trigger.type })),
        routes: app.routes,
        pids: pool.pids,
        async stop() {
          await app.stop();
          await pool.stop();
          await server.close();
        },
      };
    } catch (error) {
      await pool.stop();
      throw error;
    }
  } catch (error) {
    await server.close();
    throw error;
  }
};

const deathsBy = (clock: Clock, { delays }: Profile) => ({
  clock,
  windowMs: delays.deathWindow,
  unnoticedMs: delays.unnoticed,
});

/** Holds requests until there is a handler for them. */
const startedGate = (): { handle: NodeHandler; open(handle: NodeHandler): void } => {
  let open: (handle: NodeHandler) => void = () => {};
  const opened = new Promise<NodeHandler>((resolve) => {
    open = resolve;
  });
  return { open, handle: async (request, response) => (await opened)(request, response) };
};

/** Variables about the host, as Core Tools sets them. */
const hostEnvironment = (appDir: string, url: string): Record<string, string> => ({
  WEBSITE_HOSTNAME: new URL(url).host,
  AZURE_FUNCTIONS_ENVIRONMENT: "Development",
  FUNCTIONS_WORKER_RUNTIME: "node",
  AzureWebJobsScriptRoot: appDir,
});
