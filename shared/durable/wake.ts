import type { DurableClient } from "durable-functions";
import { WAKE } from "./waits.ts";

/**
 * Wakes jobs that may wait. One that has ended, or that cannot be reached now, is passed over: a job that waits looks
 * again by itself, so being woken only makes that sooner.
 */
export const wake = async (client: Pick<DurableClient, "raiseEvent">, jobs: readonly string[]): Promise<void> => {
  await Promise.allSettled(jobs.map((job) => client.raiseEvent(job, WAKE, null)));
};
