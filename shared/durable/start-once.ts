import { isDeepStrictEqual } from "node:util";
import type { DurableClient, DurableOrchestrationStatus } from "durable-functions";

/** States in which an instance still holds its id. Source: OrchestrationRuntimeStatus of durable-functions 3.5. */
const ALIVE: readonly string[] = ["Running", "Pending", "Suspended", "ContinuedAsNew"];

export const isAlive = (status: Pick<DurableOrchestrationStatus, "runtimeStatus"> | undefined): boolean =>
  status !== undefined && ALIVE.includes(String(status.runtimeStatus));

/**
 * An instance's status without its history, and by default without its input; `undefined` for an unknown id. For that,
 * the library throws an error whose only mark is `HTTP 404` in the message (durable-functions 3.5,
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

/** Somebody else is starting an instance with the same id at this moment. */
export class AlreadyStartingError extends Error {
  override readonly name = "AlreadyStartingError";
}

/**
 * Starts an orchestration unless one with its id is alive. Two calls at the same time start one: the other one's claim
 * is refused (`claimingStarts`), or the start of an instance that lives by then fails.
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
    const isOthers = error instanceof AlreadyStartingError || isAlive(await findInstance(client, options.instanceId));
    if (isOthers) return "already-running";
    throw error;
  }
};

/** A call that starts a job: when it was first made, and whether it may be made again with the same key. */
interface KeyedCall {
  readonly at: Date;
  readonly hasKey: boolean;
}

/** Whether an instance is what the same call started before: begun since the first one, with the same input. */
export const isStartedBy = async (
  { at, hasKey }: KeyedCall,
  client: Pick<DurableClient, "getStatus">,
  { instanceId, input }: { readonly instanceId: string; readonly input: unknown },
): Promise<boolean> => {
  const found = hasKey ? await findInstance(client, instanceId, { showInput: true }) : undefined;
  if (found === undefined) return false;
  const hasBegunSince = new Date(found.createdTime).getTime() >= at.getTime() - CLOCKS_DIFFER_MS;
  return hasBegunSince && isPartOf(JSON.parse(JSON.stringify(input)), found.input);
};

/** Later generations have beside what a job began with what they go on with. */
const isPartOf = (began: unknown, now: unknown): boolean => {
  if (typeof began !== "object" || began === null) return isDeepStrictEqual(began, now);
  if (typeof now !== "object" || now === null) return false;
  return Object.entries(began).every(([key, value]) => isDeepStrictEqual(value, (now as Record<string, unknown>)[key]));
};

/** `startOnce`, for a call that may be made again: what the same call started before is what it starts. */
export const startOnceFor = async (
  call: KeyedCall,
  client: Pick<DurableClient, "getStatus" | "startNew">,
  orchestrator: string,
  options: { readonly instanceId: string; readonly input: unknown },
): Promise<"started" | "already-running"> => {
  if (await isStartedBy(call, client, options)) return "started";
  const outcome = await startOnce(client, orchestrator, options);
  return outcome === "started" || (await isStartedBy(call, client, options)) ? "started" : "already-running";
};

/** The most that the clocks of the app and the task hub may differ. Our own choice. */
export const CLOCKS_DIFFER_MS = 1_000;

/**
 * Starts an orchestration unless its id was ever used, within the history that is kept. For work that is named by its
 * cause, which may be reported again long after the work is done.
 */
export const startUnlessKnown = async (
  client: Pick<DurableClient, "getStatus" | "startNew">,
  orchestrator: string,
  options: { readonly instanceId: string; readonly input: unknown },
): Promise<"started" | "known"> => {
  if ((await findInstance(client, options.instanceId)) !== undefined) return "known";
  return (await startOnce(client, orchestrator, options)) === "started" ? "started" : "known";
};
