import { type DurableClient, OrchestrationRuntimeStatus } from "durable-functions";

const ALIVE = [
  OrchestrationRuntimeStatus.Pending,
  OrchestrationRuntimeStatus.Running,
  OrchestrationRuntimeStatus.ContinuedAsNew,
  OrchestrationRuntimeStatus.Suspended,
];

/** The ids of all instances that have not ended. */
export const aliveInstances = async (client: Pick<DurableClient, "getStatusBy">): Promise<string[]> =>
  (await client.getStatusBy({ runtimeStatus: ALIVE })).map(({ instanceId }) => instanceId);
