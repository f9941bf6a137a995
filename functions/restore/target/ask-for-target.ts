import type { DurableClient, DurableOrchestrationStatus } from "durable-functions";
import type { MailboxKey, RunId } from "../../../shared/contracts/ids.ts";
import { restoreInstance, undoInstance } from "../../../shared/contracts/job-ids.ts";
import { findInstance, isAlive } from "../../../shared/durable/start-once.ts";
import type { Behind } from "../../../shared/durable/waits.ts";
import type { Blobs } from "../../../shared/storage/blobs.ts";
import { RestoreStatus } from "../restore.progress.ts";
import { type JobLife, type TargetRequest, takeTarget } from "./target-lease.ts";

const Progress = RestoreStatus.pick({ etaSeconds: true });

/**
 * Asks for a mailbox for a restore, or for an undo, which have ids of one form; returns what it waits for, or
 * `undefined` when it has the mailbox.
 */
export const askForTarget = async (
  { work, client }: { readonly work: Blobs; readonly client: Pick<DurableClient, "getStatus"> },
  key: MailboxKey,
  request: TargetRequest,
): Promise<Behind | undefined> => {
  const jobOf = jobsOfTargets(client);
  const answer = await takeTarget(work, key, request, restoreLives(client));
  if (answer === true) return undefined;
  const { first, ahead } = answer;
  const job = await jobOf(first);
  const seconds = Progress.safeParse(job?.customStatus).data?.etaSeconds;
  return { job: job?.instanceId ?? restoreInstance(first), ahead, ...(seconds === undefined ? {} : { seconds }) };
};

/** The job that has a mailbox, or wants it: a restore's, or an undo's. */
const jobsOfTargets = (client: Pick<DurableClient, "getStatus">) => async (id: RunId) =>
  (await findInstance(client, restoreInstance(id))) ?? (await findInstance(client, undoInstance(id)));

/** What is known of the jobs that have mailboxes, or want them. */
export const restoreLives =
  (client: Pick<DurableClient, "getStatus">) =>
  async (id: RunId): Promise<JobLife> =>
    lifeIn(await jobsOfTargets(client)(id));

const lifeIn = (job: DurableOrchestrationStatus | undefined): JobLife => {
  if (job === undefined) return "unknown";
  return isAlive(job) ? "alive" : "ended";
};
