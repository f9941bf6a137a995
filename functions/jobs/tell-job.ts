import type { DurableClient, DurableOrchestrationStatus } from "durable-functions";
import { wake } from "../../shared/durable/wake.ts";
import type { Blobs } from "../../shared/storage/blobs.ts";
import { partsBelow } from "./control-job.ts";
import type { Wish } from "./wish.contract.ts";
import { findWish, makeWish } from "./wishes.ts";

/** A job that was told to end, and has shown no life since for so long, is ended by the task hub. Our own choice. */
const HEEDS_WITHIN_MS = 5 * 60_000;

interface TellDeps {
  readonly client: Pick<DurableClient, "getStatus" | "raiseEvent" | "terminate">;
  readonly state: Blobs;
}

/**
 * Tells a job, and with it all its parts, what to do. It is written down first and the job woken then, so that it is
 * heeded whatever happens to the event. Returns what the job is told now: a cancelled job stays cancelled.
 */
export const tellJob = async (
  { client, state }: TellDeps,
  job: DurableOrchestrationStatus,
  wish: Wish,
): Promise<Wish> => {
  const now = new Date();
  const earlier = await findWish(state, job.instanceId);
  const told = await makeWish(state, job.instanceId, wish, now);
  if (earlier?.wish === "cancel" && isDeaf(job, earlier.at, now)) await client.terminate(job.instanceId, "requested");
  else await wake(client, [job.instanceId, ...(await partsBelow(client, job))]);
  return told.wish;
};

/** Whether it has done nothing since it was told to end. */
const isDeaf = ({ lastUpdatedTime }: DurableOrchestrationStatus, toldAt: string, now: Date): boolean =>
  now.getTime() > Date.parse(toldAt) + HEEDS_WITHIN_MS && new Date(lastUpdatedTime).getTime() <= Date.parse(toldAt);
