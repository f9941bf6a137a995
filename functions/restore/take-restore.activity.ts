import type { ActivityHandler } from "durable-functions";
import { restoreInstance } from "../../shared/contracts/job-ids.ts";
import type { ClientOf } from "../../shared/durable/client.ts";
import { findInstance, isAlive } from "../../shared/durable/start-once.ts";
import { implementThroughOutages } from "../../shared/durable/through-outages.ts";
import type { Blobs } from "../../shared/storage/blobs.ts";
import { keepFurthest } from "../../shared/storage/furthest.ts";
import { RestoreTurn, takeRestore } from "./restore-list.contract.ts";
import { placeName, takeListed } from "./restore-list-state.ts";

/**
 * Takes the next restore of a list for one turn of one place. Run twice, the turn gets the same restore. A place that
 * was lost goes on from its last turn, once the restore that it had begun has ended.
 */
export const takeRestoreActivity = (deps: { readonly work: Blobs; readonly clientOf: ClientOf }): ActivityHandler =>
  implementThroughOutages(takeRestore, async ({ listId, place, ...own }, context) => {
    const furthest = await keepFurthest(deps.work, placeName(listId, place), RestoreTurn, own);
    if (furthest.turn > own.turn) return { ahead: furthest };
    const taken = await takeListed(deps.work, listId, { taker: place, turn: own.turn, at: own.at });
    if (taken === undefined) return {};
    const job = restoreInstance(taken.restore.restoreId);
    return isAlive(await findInstance(deps.clientOf(context), job)) ? { isAlive: true as const } : { taken };
  });
