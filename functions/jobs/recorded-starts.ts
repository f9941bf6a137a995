import type { DurableClient } from "durable-functions";
import { AlreadyStartingError, findInstance, isAlive } from "../../shared/durable/start-once.ts";
import type { Blobs } from "../../shared/storage/blobs.ts";
import { begunAt, closeJob, forgetContinuations, isLost, openJob } from "./open-jobs.ts";
import { forgetWish } from "./wishes.ts";

/**
 * A client that notes each job before it starts it, so that one which the task hub loses is gone on with, and forgets
 * what an earlier job of its id was told. One that is not started is not kept: who asked for it hears of that. One that
 * the hub has lost counts as alive: it is about to go on.
 */
export const recordingStarts = (client: DurableClient, state: Blobs): DurableClient => {
  const startNew: DurableClient["startNew"] = async (kind, options) => {
    const { instanceId: job, input } = options ?? {};
    if (job === undefined) return client.startNew(kind, options);
    const before = await findInstance(client, job);
    if (isAlive(before) || (await isLost(state, before))) throw new AlreadyStartingError(`${job} is alive`);
    await forgetWish(state, job);
    await forgetContinuations(state, job);
    await openJob(state, job, { kind, input, ...(before && { replaces: begunAt(before) }) });
    try {
      return await client.startNew(kind, options);
    } catch (error) {
      await closeUnlessAlive(client, state, job).catch(() => undefined);
      throw error;
    }
  };
  return Object.assign(Object.create(client) as DurableClient, { startNew });
};

/** A start whose answer was lost may have begun. A note that stays is one more start of the same job. */
const closeUnlessAlive = async (client: DurableClient, state: Blobs, job: string): Promise<void> => {
  if (!isAlive(await findInstance(client, job))) await closeJob(state, job);
};
