import type { DurableClient } from "durable-functions";
import type { Blobs } from "../../shared/storage/blobs.ts";
import { closeJob, forgetContinuations, openJob } from "./open-jobs.ts";
import { forgetWish } from "./wishes.ts";

/**
 * A client that notes each job before it starts it, so that one which the task hub loses is gone on with, and forgets
 * what an earlier job of its id was told. One that is not started is not kept: who asked for it hears of that.
 */
export const recordingStarts = (client: DurableClient, state: Blobs): DurableClient => {
  const startNew: DurableClient["startNew"] = async (kind, options) => {
    const { instanceId: job, input } = options ?? {};
    if (job === undefined) return client.startNew(kind, options);
    await forgetWish(state, job);
    await forgetContinuations(state, job);
    await openJob(state, job, { kind, input });
    try {
      return await client.startNew(kind, options);
    } catch (error) {
      // A record that stays is one more start of the same job. What failed is what the caller is to hear of.
      await closeJob(state, job).catch(() => undefined);
      throw error;
    }
  };
  return Object.assign(Object.create(client) as DurableClient, { startNew });
};
