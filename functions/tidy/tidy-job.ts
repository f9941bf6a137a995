import type { DurableClient } from "durable-functions";
import {
  placeInstance,
  restoreInstance,
  restoresInstance,
  translationInstance,
  undoInstance,
} from "../../shared/contracts/job-ids.ts";
import { findInstance, isAlive } from "../../shared/durable/start-once.ts";
import type { Blobs } from "../../shared/storage/blobs.ts";
import { forgetContinuations } from "../jobs/open-jobs.ts";
import { forgetWish } from "../jobs/wishes.ts";
import { findCarrier } from "../restore/restore-state.ts";
import { removeUnlessNew, renewOld } from "./blobs-below-folder.ts";
import type { ScratchInUse } from "./scratch-in-use.ts";
import type { TidyCounts } from "./tidy.contract.ts";

/** How long a job is listed after its end. Our own choice: the audit log has it for ever. */
export const LISTED_MS = 60 * 24 * 3_600_000;

export interface TidyDeps {
  readonly work: Blobs;
  readonly state: Blobs;
  readonly client: Pick<DurableClient, "getStatus" | "getStatusBy" | "purgeInstanceHistory">;
  readonly inUse: ScratchInUse;
  readonly nowMs: number;
}

type Tidied = Partial<TidyCounts>;

/** The run that a folder of scratch data belongs to, and the job of the same name; `undefined` for any other folder. */
export const jobRunOf = (folder: string): string | undefined =>
  [restoreInstance, restoresInstance, undoInstance, translationInstance].flatMap((form) => form.parse(folder) ?? [])[0];

/**
 * Tidies the scratch data of a restore, a list of restores, an undo or a translation. A job that is listed keeps it, at
 * whatever age: then it can be reported, carried out, resumed or undone. One that ended long ago is forgotten, and its
 * scratch data goes some days later: a job that began with it meanwhile would show as alive by then.
 */
export const tidyJob = async (deps: TidyDeps, folder: string, run: string): Promise<Tidied> => {
  const { work, state, client, inUse, nowMs } = deps;
  if (inUse.has(run)) return renewOld(work, folder, nowMs);
  const job = await findInstance(client, folder);
  const isOver = job === undefined || (!isAlive(job) && new Date(job.lastUpdatedTime).getTime() < nowMs - LISTED_MS);
  if (!isOver || (await isNeededByOthers(deps, folder))) return renewOld(work, folder, nowMs);
  if (job === undefined) return removeUnlessNew(work, folder, nowMs);
  await forget(client, folder);
  await forgetWish(state, folder);
  await forgetContinuations(state, folder);
  return { forgotten: 1 };
};

/** Whether a rehearsal may need its plan, or the plan of a dry run is that of a restore that is listed. */
const isNeededByOthers = async ({ work, client, inUse }: TidyDeps, folder: string): Promise<boolean> => {
  const planOf = restoreInstance.parse(folder)?.[0];
  if (planOf === undefined) return false;
  if (inUse.isRehearsing) return true;
  const carrier = await findCarrier(work, planOf);
  return carrier !== undefined && (await findInstance(client, restoreInstance(carrier))) !== undefined;
};

/** The job, after the places of a list's window, which have histories of their own. */
const forget = async (client: TidyDeps["client"], job: string): Promise<void> => {
  const ids = [job];
  const placeOf = (place: number): string => placeInstance(place, job);
  const isList = restoresInstance.parse(job) !== undefined;
  while (isList && (await findInstance(client, placeOf(ids.length - 1))) !== undefined)
    ids.push(placeOf(ids.length - 1));
  // From the last on: where this is cut off, the next time finds those that are left.
  for (const id of ids.toReversed()) await client.purgeInstanceHistory(id);
};
