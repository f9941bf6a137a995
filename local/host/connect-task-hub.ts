import { withClientInputs } from "./client-inputs.ts";
import type { Clock, DurableExtension, WorkerPool } from "./contract.ts";
import { createTaskHub } from "./durable/task-hub.ts";
import type { Log } from "./log.ts";
import type { HostConfig } from "./settings.ts";
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
  readonly log: Log;
  readonly deliverActivitiesTwice: boolean;
  readonly turnTime?: TurnTime | undefined;
}

/** The task hub on disk, by the limits of host.json. */
export const connectTaskHub = ({ hub, log, pool, ...deps }: DurableDeps): DurableExtension => {
  const taskHub: DurableExtension = createTaskHub({
    ...deps,
    pool: withClientInputs(pool, (binding) => taskHub.clientBinding(binding)),
    hubName: hub.hubName,
    maxConcurrentActivities: hub.maxConcurrentActivityFunctions,
    maxConcurrentOrchestrators: hub.maxConcurrentOrchestratorFunctions,
    log: (level, functionName, message) =>
      functionName === undefined
        ? log({ level, category: "Host.Triggers.DurableTask", message })
        : log({ level, category: `Function.${functionName}`, functionName, message }),
  });
  return taskHub;
};
