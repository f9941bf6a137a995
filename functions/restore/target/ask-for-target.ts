import type { DurableClient } from "durable-functions";
import type { MailboxKey, RunId } from "../../../shared/contracts/ids.ts";
import { restoreInstance, undoInstance } from "../../../shared/contracts/job-ids.ts";
import { findInstance, isAlive } from "../../../shared/durable/start-once.ts";
import type { Blobs } from "../../../shared/storage/blobs.ts";
import { isLost } from "../../jobs/open-jobs.ts";
import { RestoreStatus } from "../restore.progress.ts";
import type { TargetHeld } from "./hold-target.contract.ts";
import { type JobLife, type TargetRequest, takeTarget } from "./target-lease.ts";

const Progress = RestoreStatus.pick({ etaSeconds: true });

/**
 * Asks for a mailbox for a restore, or for an undo, which have ids of one form. `waitsFor` when another job has it or
 * comes first; `passedOn` when another job has had it since the restore was planned; nothing of both when it has it.
 */
export const askForTarget = async (
  {
    work,
    state,
    client,
  }: { readonly work: Blobs; readonly state: Blobs; readonly client: Pick<DurableClient, "getStatus"> },
  key: MailboxKey,
  request: TargetRequest,
): Promise<TargetHeld> => {
  const jobOf = jobsOfTargets(client);
  const answer = await takeTarget(work, key, request, restoreLives(client, state));
  if (answer === true) return {};
  if (answer === "passed-on") return { passedOn: true };
  const { first, ahead } = answer;
  const job = await jobOf(first);
  const seconds = Progress.safeParse(job?.customStatus).data?.etaSeconds;
  const behind = { job: job?.instanceId ?? restoreInstance(first), ahead };
  return { waitsFor: { ...behind, ...(seconds === undefined ? {} : { seconds }) } };
};

/** The job that has a mailbox, or wants it: a restore's, or an undo's. */
const jobsOfTargets = (client: Pick<DurableClient, "getStatus">) => async (id: RunId) =>
  (await findInstance(client, restoreInstance(id))) ?? (await findInstance(client, undoInstance(id)));

/** What is known of the jobs that have mailboxes, or want them. One that the task hub has lost is about to go on. */
export const restoreLives =
  (client: Pick<DurableClient, "getStatus">, state: Blobs) =>
  async (id: RunId): Promise<JobLife> => {
    const job = await jobsOfTargets(client)(id);
    if (job === undefined) return "unknown";
    return isAlive(job) || (await isLost(state, job)) ? "alive" : "ended";
  };
