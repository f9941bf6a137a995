import { join } from "node:path";
import type { Clock, DurableExtension, Group, WorkerPool } from "../contract.ts";
import { type Profile, QUICK } from "../profile.ts";
import type { TurnTime } from "../turn-times.ts";
import { createHttpApi } from "./http-api.ts";
import { createHub } from "./hub.ts";
import { inFlightFile, NOTHING_IN_FLIGHT } from "./in-flight.ts";
import { largeValues } from "./large-values.ts";
import { clientPayload } from "./management-urls.ts";
import { carryOut, orderQueue } from "./orders.ts";
import { createRemoteHub } from "./remote-hub.ts";
import { fileStore } from "./store.ts";
import type { DurableLog } from "./tasks.ts";

export interface TaskHubOptions {
  readonly pool: WorkerPool;
  readonly clock: Clock;
  /** The folder of task hubs; each has a folder of its name. */
  readonly dir: string;
  readonly hubName: string;
  /** Both limits are for one app process, as in host.json. */
  readonly maxConcurrentActivities: number;
  readonly maxConcurrentOrchestrators: number;
  /** Scheme, host and port of the host. */
  readonly baseUrl: () => string;
  /** The same of the endpoint for the app's own clients. */
  readonly clientUrl: () => string;
  /** What the API asks for, beside the master key; it is in the URLs that the API hands out. */
  readonly systemKey: string;
  readonly profile?: Profile | undefined;
  readonly group?: Group | undefined;
  /** The longest pause between two looks at the orders of other processes; that of the profile when absent. */
  readonly longestPollMs?: number | undefined;
  readonly log: DurableLog;
  /** Delivers every activity twice at the same time, to show that the app tolerates it. */
  readonly deliverActivitiesTwice?: boolean;
  /** The times that instances live by, such as {@link sharedTimes}; those of the clock when absent. */
  readonly turnTime?: TurnTime | undefined;
}

/**
 * The durable extension over a task hub on disk. The orchestrators run in the app, by the replay executor of
 * `durable-functions`. Every change is on disk before the hub acts on it, so the hub may be killed at any moment.
 */
export const createTaskHub = (options: TaskHubOptions): DurableExtension => {
  const { dir, hubName, baseUrl, clientUrl, systemKey, profile = QUICK, group = "all", ...deps } = options;
  const { deliverActivitiesTwice = false, turnTime = (nowMs) => nowMs } = options;
  const folder = join(dir, hubName);
  const values = largeValues(join(folder, "large-messages"));
  const directory = join(folder, "instances");
  const orders = orderQueue(join(folder, "orders"));
  const api = { values, clock: deps.clock, hubName, systemKey, origin: baseUrl };
  const clientBinding = () => clientPayload({ origin: baseUrl(), hubName, systemKey }, clientUrl());
  if (group === "clients") {
    const hub = createRemoteHub({ directory, values, orders, clock: deps.clock, pool: deps.pool });
    return { start: hub.start, stop: async () => undefined, clientBinding, handle: createHttpApi({ ...api, hub }) };
  }
  const store = fileStore(directory);
  // Only what an instance bears is cut: a timer still fires by the clock, when its time has come.
  const clock: Clock = { now: () => turnTime(deps.clock.now()), at: deps.clock.at };
  const inFlight = profile.delays.invisible > 0 ? inFlightFile(join(folder, "in-flight.txt")) : NOTHING_IN_FLIGHT;
  const hub = createHub({ ...deps, clock, values, store, deliverActivitiesTwice, profile, inFlight });
  let stopOrders = async (): Promise<void> => undefined;
  return {
    async start() {
      await hub.start();
      if (group === "durable")
        stopOrders = carryOut(orders, hub, deps.clock, options.longestPollMs ?? profile.delays.poll);
    },
    async stop() {
      await stopOrders();
      await hub.stop();
    },
    clientBinding,
    handle: createHttpApi({ ...api, hub }),
  };
};
