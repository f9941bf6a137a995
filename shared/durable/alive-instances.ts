import { type DurableClient, type DurableOrchestrationStatus, OrchestrationRuntimeStatus } from "durable-functions";

const ALIVE = [
  OrchestrationRuntimeStatus.Pending,
  OrchestrationRuntimeStatus.Running,
  OrchestrationRuntimeStatus.ContinuedAsNew,
  OrchestrationRuntimeStatus.Suspended,
];

/** All instances that have not ended, with the names of their orchestrators. */
export const aliveInstances = (
  client: Pick<DurableClient, "getStatusBy">,
): Promise<Pick<DurableOrchestrationStatus, "instanceId" | "name">[]> => client.getStatusBy({ runtimeStatus: ALIVE });
