import { join } from "node:path";
import type { Clock, DurableExtension, WorkerPool } from "../contract.ts";
import { type Profile, QUICK } from "../profile.ts";
import type { TurnTime } from "../turn-times.ts";
import { createHttpApi } from "./http-api.ts";
import { createHub } from "./hub.ts";
import { inFlightFile, NOTHING_IN_FLIGHT } from "./in-flight.ts";
import { largeValues } from "./large-values.ts";
import { clientPayload } from "./management-urls.ts";
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
export const createTaskHub = (options: TaskHubOptions) => {
  const { dir, hubName, baseUrl, clientUrl, systemKey, profile = QUICK, ...deps } = options;
  const { deliverActivitiesTwice = false, turnTime = (nowMs) => nowMs } = options;
  const folder = join(dir, hubName);
  const values = largeValues(join(folder, "large-messages"));
  const store = fileStore(join(folder, "instances"));
  // Only what an instance bears is cut: a timer still fires by the clock, when its time has come.
  const clock: Clock = { now: () => turnTime(deps.clock.now()), at: deps.clock.at };
  const inFlight = profile.delays.invisible > 0 ? inFlightFile(join(folder, "in-flight.txt")) : NOTHING_IN_FLIGHT;
  const hub = createHub({ ...deps, clock, values, store, deliverActivitiesTwice, profile, inFlight });
  const extension: DurableExtension = {
    start: hub.start,
    stop: hub.stop,
    clientBinding: () => clientPayload({ origin: baseUrl(), hubName, systemKey }, clientUrl()),
    handle: createHttpApi({ hub, values, clock: deps.clock, hubName, systemKey, origin: baseUrl }),
  };
  return extension;
};
