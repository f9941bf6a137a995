import { randomBytes } from "node:crypto";
import { join } from "node:path";
import type { Clock, DurableExtension, WorkerPool } from "../contract.ts";
import type { TurnTime } from "../turn-times.ts";
import { createHttpApi } from "./http-api.ts";
import { createHub } from "./hub.ts";
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
  const { dir, hubName, baseUrl, deliverActivitiesTwice = false, turnTime = (nowMs) => nowMs, ...deps } = options;
  const folder = join(dir, hubName);
  const systemKey = randomBytes(32).toString("base64url");
  const values = largeValues(join(folder, "large-messages"));
  const store = fileStore(join(folder, "instances"));
  // Only what an instance bears is cut: a timer still fires by the clock, when its time has come.
  const clock: Clock = { now: () => turnTime(deps.clock.now()), at: deps.clock.at };
  const hub = createHub({ ...deps, clock, values, store, deliverActivitiesTwice });
  const extension: DurableExtension = {
    start: hub.start,
    stop: hub.stop,
    clientBinding: () => clientPayload({ origin: baseUrl(), hubName, systemKey }),
    handle: createHttpApi({ hub, values, clock: deps.clock, hubName, systemKey }),
  };
  return extension;
};
