import type { DurableClient, DurableOrchestrationStatus } from "durable-functions";
import type { MailboxKey, RunId } from "../../../shared/contracts/ids.ts";
import { restoreInstance } from "../../../shared/contracts/job-ids.ts";
import { findInstance, isAlive } from "../../../shared/durable/start-once.ts";
import type { Behind } from "../../../shared/durable/waits.ts";
import type { Blobs } from "../../../shared/storage/blobs.ts";
import { RestoreStatus } from "../restore.progress.ts";
import { type JobLife, type TargetRequest, takeTarget } from "./target-lease.ts";

const Progress = RestoreStatus.pick({ etaSeconds: true });

/** Asks for a mailbox to restore into; returns what the restore waits for, or `undefined` when it has the mailbox. */
export const askForTarget = async (
  { work, client }: { readonly work: Blobs; readonly client: Pick<DurableClient, "getStatus"> },
  key: MailboxKey,
  request: TargetRequest,
): Promise<Behind | undefined> => {
  const jobOf = (restoreId: RunId) => findInstance(client, restoreInstance(restoreId));
  const answer = await takeTarget(work, key, request, restoreLives(client));
  if (answer === true) return undefined;
  const { first, ahead } = answer;
  const seconds = Progress.safeParse((await jobOf(first))?.customStatus).data?.etaSeconds;
  return { job: restoreInstance(first), ahead, ...(seconds === undefined ? {} : { seconds }) };
};

/** What is known of the jobs of restores. */
export const restoreLives =
  (client: Pick<DurableClient, "getStatus">) =>
  async (restoreId: RunId): Promise<JobLife> =>
    lifeIn(await findInstance(client, restoreInstance(restoreId)));

const lifeIn = (job: DurableOrchestrationStatus | undefined): JobLife => {
  if (job === undefined) return "unknown";
  return isAlive(job) ? "alive" : "ended";
};
