import { withClientInputs } from "./client-inputs.ts";
import type { Clock, DurableExtension, Group, WorkerPool } from "./contract.ts";
import { createTaskHub } from "./durable/task-hub.ts";
import type { Log } from "./log.ts";
import type { Profile } from "./profile.ts";
import type { HostConfig } from "./settings.ts";
import { StartError } from "./start-error.ts";
import type { TurnTime } from "./turn-times.ts";

/** What the durable extension is made of. */
export interface DurableDeps {
  readonly pool: WorkerPool;
  readonly clock: Clock;
  /** A folder of its own. */
  readonly dir: string;
  /** `extensions.durableTask` of host.json, with the hub's name resolved. */
  readonly hub: HostConfig["extensions"]["durableTask"];
  readonly baseUrl: () => string;
  readonly clientUrl: () => string;
  readonly systemKey: string;
  readonly profile: Profile;
  readonly group: Group;
  readonly log: Log;
  readonly deliverActivitiesTwice: boolean;
  readonly turnTime?: TurnTime | undefined;
}

/** What the delay of the profile is for. */
const DEFAULT_POLLING_MS = 30_000;

/** Source: AzureStorageOptions.cs, ValidateHubName. */
const HUB_NAME = /^[a-z][a-z0-9]{2,49}$/i;

/** The task hub on disk, by the limits of host.json. @throws {StartError} when the hub's name is not valid. */
export const connectTaskHub = ({ hub, log, pool, ...deps }: DurableDeps): DurableExtension => {
  if (!HUB_NAME.test(hub.hubName))
    throw new StartError(`host.json, hubName: ${hub.hubName} is not a letter with 2 to 49 letters and digits`);
  const taskHub: DurableExtension = createTaskHub({
    ...deps,
    pool: withClientInputs(pool, (binding) => taskHub.clientBinding(binding)),
    hubName: hub.hubName,
    longestPollMs: deps.profile.delays.poll * (hub.storageProvider.maxQueuePollingInterval / DEFAULT_POLLING_MS),
    maxConcurrentActivities: hub.maxConcurrentActivityFunctions,
    maxConcurrentOrchestrators: hub.maxConcurrentOrchestratorFunctions,
    log: (level, functionName, message) =>
      functionName === undefined
        ? log({ level, category: "Host.Triggers.DurableTask", message })
        : log({ level, category: `Function.${functionName}`, functionName, message }),
  });
  return taskHub;
};
