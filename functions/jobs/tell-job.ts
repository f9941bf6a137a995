import type { DurableClient, DurableOrchestrationStatus } from "durable-functions";
import * as z from "zod";
import { findInstance } from "../../shared/durable/start-once.ts";
import { wake } from "../../shared/durable/wake.ts";
import type { Blobs } from "../../shared/storage/blobs.ts";
import { partsBelow } from "./parts-below.ts";
import type { Wish } from "./wish.contract.ts";
import { findWish, makeWish } from "./wishes.ts";

/** A job that was told to end, and has shown no life since for so long, is ended by the task hub. Our own choice. */
const HEEDS_WITHIN_MS = 5 * 60_000;

/** It is kept in the history of the instance and in its status, so it names nobody. */
const REASON = "requested";

interface TellDeps {
  readonly client: Pick<DurableClient, "getStatus" | "raiseEvent" | "resume" | "terminate">;
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
  if (earlier?.wish === "cancel" && isDeaf(job, earlier.at, now) && !(await isPart(client, job.instanceId))) {
    await client.terminate(job.instanceId, REASON);
    return told.wish;
  }
  const jobs = [job.instanceId, ...(await partsBelow(client, job))];
  if (wish !== "pause") await resumeSuspended(client, jobs);
  await wake(client, jobs);
  return told.wish;
};

const PartInput = z.looseObject({ partOf: z.string() });

/** The task hub fails the whole when it ends a part: seen on the real host, with the Durable extension 3.19. */
const isPart = async (client: Pick<DurableClient, "getStatus">, id: string): Promise<boolean> =>
  PartInput.safeParse((await findInstance(client, id, { showInput: true }))?.input).success;

/** Lets those go on that were paused by means of the task hub, by its tools or by an earlier version of the app. */
const resumeSuspended = async (
  client: Pick<DurableClient, "getStatus" | "resume">,
  jobs: readonly string[],
): Promise<void> => {
  for (const id of jobs)
    if (String((await findInstance(client, id))?.runtimeStatus) === "Suspended") await client.resume(id, REASON);
};

/** Whether it has done nothing since it was told to end. */
const isDeaf = ({ lastUpdatedTime }: DurableOrchestrationStatus, toldAt: string, now: Date): boolean =>
  now.getTime() > Date.parse(toldAt) + HEEDS_WITHIN_MS && new Date(lastUpdatedTime).getTime() <= Date.parse(toldAt);
