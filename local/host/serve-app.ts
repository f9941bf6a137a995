import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { connectTaskHub, type DurableDeps } from "./connect-task-hub.ts";
import type { Clock, DurableExtension, Group } from "./contract.ts";
import { type Keys, withKey } from "./keys.ts";
import type { Log } from "./log.ts";
import type { Profile } from "./profile.ts";
import { fetchHandler, type NodeHandler, serve } from "./server.ts";
import { type HostConfig, resolveSettings, type Settings } from "./settings.ts";
import { adminEndpoint } from "./triggers/admin.ts";
import { type AppFunction, appFunction, unservedTypes } from "./triggers/app-function.ts";
import { eventGridWebhook } from "./triggers/event-grid.ts";
import { type HttpRoute, httpTriggers } from "./triggers/http.ts";
import { MAX_BODY_BYTES } from "./triggers/http-messages.ts";
import { timerTriggers } from "./triggers/timers.ts";
import type { TurnTime } from "./turn-times.ts";
import type { AppPool } from "./worker/pool.ts";

/** How long `stop` waits for requests under way. */
const STOP_GRACE_MS = 10_000;

export interface ServeAppOptions {
  readonly pool: AppPool;
  readonly config: HostConfig;
  readonly settings: Settings;
  readonly clock: Clock;
  readonly dataDir: string;
  readonly url: string;
  readonly keys: Keys;
  readonly profile: Profile;
  readonly group: Group;
  /** Another durable extension than the task hub, or none. */
  readonly durable?: (deps: DurableDeps) => DurableExtension | undefined;
  readonly deliverActivitiesTwice?: boolean;
  readonly turnTime?: TurnTime | undefined;
  readonly log: Log;
}

export interface ServedApp {
  readonly functions: readonly AppFunction[];
  readonly routes: readonly HttpRoute[];
  readonly handle: NodeHandler;
  /** Fires and accepts nothing new, waits two seconds for requests under way, then stops the task hub. */
  stop(): Promise<void>;
}

/** Connects a loaded app to the triggers and the task hub, and starts them. */
export const serveApp = async (options: ServeAppOptions): Promise<ServedApp> => {
  const { pool, config, settings, clock, dataDir, url, log, keys, profile, group } = options;
  const { http, durableTask } = config.extensions;
  const baseUrl = () => url;
  const { durable: connect = connectTaskHub } = options;
  const durableApi = fetchHandler(async (request) => (await durable?.handle(request)) ?? notFound());
  // The app's own clients come without a key, to an endpoint that only this machine reaches.
  const clientServer = await serve(0, durableApi, log);
  const durable = connect({
    pool,
    clock,
    dir: join(dataDir, "taskhub"),
    hub: { ...durableTask, hubName: resolveSettings(durableTask.hubName, settings, "host.json, hubName") },
    baseUrl,
    clientUrl: () => clientServer.url,
    systemKey: keys.durable,
    profile,
    group,
    log,
    deliverActivitiesTwice: options.deliverActivitiesTwice ?? false,
    turnTime: options.turnTime,
  });

  const functions = (await pool.functions())
    .map((info) => appFunction(info, { pool, settings, durable }))
    .filter(({ name }) => !isDisabled(name, settings));
  warnOfUnserved(functions, log);
  const limits = { clock, silenceMs: profile.delays.silence, maxBodyBytes: maxBodyBytes(settings) };
  const requests = httpTriggers(functions, { routePrefix: http.routePrefix, streams: pool.streamsHttp, limits });
  const timers = timerTriggers(functions, { clock, dir: dataDir, log });
  const admin = adminEndpoint({ functions, routes: requests.routes, timers, baseUrl, pids: pool.pids });
  const underWay = new Set<Promise<void>>();
  let stopping = false;

  const untilStop =
    (handle: NodeHandler): NodeHandler =>
    async (request, response) => {
      if (stopping) return void response.writeHead(503).end();
      const handled = handle(request, response);
      underWay.add(handled);
      await handled.finally(() => underWay.delete(handled));
    };

  await durable?.start();
  if (group !== "durable") timers.start();
  return {
    functions,
    routes: requests.routes,
    handle: dispatcher({
      "/runtime/webhooks/durabletask": withKey([keys.master, keys.durable], durableApi),
      "/runtime/webhooks/eventgrid": withKey(
        [keys.master, keys.eventGrid],
        untilStop(fetchHandler(eventGridWebhook(functions, log))),
      ),
      "/admin/host/ping": fetchHandler(admin),
      "/admin": withKey([keys.master], fetchHandler(admin)),
      "/": homepage(settings, untilStop(requests.handle)),
    }),
    async stop() {
      stopping = true;
      timers.stop();
      await Promise.race([Promise.allSettled(underWay), delay(STOP_GRACE_MS, undefined, { ref: false })]);
      await durable?.stop();
      await clientServer.close();
    },
  };
};

/** Passes a request to the first handler whose path is a prefix of the request's, by whole segments. */
const dispatcher =
  (handlers: Readonly<Record<string, NodeHandler>>): NodeHandler =>
  async (request, response) => {
    const path = `${request.url?.split("?")[0]}/`.toLowerCase();
    const found = Object.entries(handlers).find(([prefix]) => prefix === "/" || path.startsWith(`${prefix}/`));
    await found?.[1](request, response);
  };

/** A page that says that the app is there. Source: HomepageMiddleware.cs. */
const homepage =
  (settings: Settings, handle: NodeHandler): NodeHandler =>
  async (request, response) => {
    if (request.url?.split("?")[0] !== "/") return handle(request, response);
    if (/^true$/i.test(settings["AzureWebJobsDisableHomepage"] ?? "")) response.writeHead(204).end();
    else response.writeHead(200, { "content-type": "text/html" }).end("<p>Your function app is up and running.</p>");
  };

/** Source: HttpRequestBodySizeMiddleware.cs. */
const maxBodyBytes = (settings: Settings): number =>
  Number(settings["FUNCTIONS_REQUEST_BODY_SIZE_LIMIT"] ?? MAX_BODY_BYTES) || MAX_BODY_BYTES;

const notFound = () => new Response(null, { status: 404 });

/** Source: https://learn.microsoft.com/azure/azure-functions/disable-function (read 2026-11). */
const isDisabled = (name: string, settings: Settings) =>
  /^(?:true|1)$/i.test(settings[`AzureWebJobs.${name}.Disabled`] ?? "");

/** Without a warning, nobody would notice that a function is never called. */
const warnOfUnserved = (functions: readonly AppFunction[], log: Log): void => {
  for (const each of functions) {
    for (const type of unservedTypes(each)) {
      const message = `${type} is not served locally.`;
      log({ level: "warning", category: "Host.Startup", functionName: each.name, message });
    }
  }
};
