import type { ActivityHandler } from "durable-functions";
import { restoreInstance, restoresInstance } from "../../shared/contracts/job-ids.ts";
import type { ClientOf } from "../../shared/durable/client.ts";
import { findInstance, isAlive } from "../../shared/durable/start-once.ts";
import { implementThroughOutages } from "../../shared/durable/through-outages.ts";
import type { Blobs } from "../../shared/storage/blobs.ts";
import { openJob } from "../jobs/open-jobs.ts";
import { takeRestore } from "./restore-list.contract.ts";
import { keepPlace, takeListed } from "./restore-list-state.ts";

/**
 * Takes the next restore of a list for one turn of one place, and notes what the place has come to, and the restore.
 * Run twice, the turn gets the same restore.
 */
export const takeRestoreActivity = (deps: {
  readonly work: Blobs;
  readonly state: Blobs;
  readonly clientOf: ClientOf;
}): ActivityHandler =>
  implementThroughOutages(takeRestore, async ({ listId, place, ...own }, context) => {
    await keepPlace(deps.work, listId, place, own);
    const taken = await takeListed(deps.work, listId, { taker: place, turn: own.turn, at: own.at });
    if (taken === undefined) return {};
    const { restore } = taken;
    const job = restoreInstance(restore.restoreId);
    if (isAlive(await findInstance(deps.clientOf(context), job))) return { isAlive: true as const };
    await openJob(deps.state, job, { kind: "restore-mailbox", input: restore, partOf: restoresInstance(listId) });
    return { taken };
  });
