import type { DurableClient, DurableOrchestrationStatus } from "durable-functions";

/** States in which an instance still holds its id. Source: OrchestrationRuntimeStatus of durable-functions 3.5. */
const ALIVE: readonly string[] = ["Running", "Pending", "Suspended", "ContinuedAsNew"];

export const isAlive = (status: Pick<DurableOrchestrationStatus, "runtimeStatus"> | undefined): boolean =>
  status !== undefined && ALIVE.includes(String(status.runtimeStatus));

/**
 * An instance's status without its history, and without its input unless that is wanted; `undefined` when there is none.
 * The library throws for an unknown id, with `HTTP 404` in the message as the only mark (durable-functions 3.5,
 * DurableClient.getStatus).
 */
export const findInstance = async (
  client: Pick<DurableClient, "getStatus">,
  instanceId: string,
  { showInput = false } = {},
): Promise<DurableOrchestrationStatus | undefined> => {
  try {
    return await client.getStatus(instanceId, { showInput });
  } catch (error) {
    if (error instanceof Error && error.message.includes("HTTP 404")) return undefined;
    throw error;
  }
};

/**
 * Starts an orchestration under an id unless it is alive. Two calls at the same time start one: the extension refuses
 * the second start of a live id, which shows here as a failed start of an instance that is alive.
 */
export const startOnce = async (
  client: Pick<DurableClient, "getStatus" | "startNew">,
  orchestrator: string,
  options: { readonly instanceId: string; readonly input: unknown },
): Promise<"started" | "already-running"> => {
  if (isAlive(await findInstance(client, options.instanceId))) return "already-running";
  try {
    await client.startNew(orchestrator, options);
    return "started";
  } catch (error) {
    if (isAlive(await findInstance(client, options.instanceId))) return "already-running";
    throw error;
  }
};

/**
 * Starts an orchestration under an id that was never used, as far as its history goes back: for work that is named by what
 * caused it, and that may be told of again long after it was done.
 */
export const startUnlessKnown = async (
  client: Pick<DurableClient, "getStatus" | "startNew">,
  orchestrator: string,
  options: { readonly instanceId: string; readonly input: unknown },
): Promise<"started" | "known"> => {
  if ((await findInstance(client, options.instanceId)) !== undefined) return "known";
  return (await startOnce(client, orchestrator, options)) === "started" ? "started" : "known";
};
