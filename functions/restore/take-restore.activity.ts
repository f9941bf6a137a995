import type { ActivityHandler } from "durable-functions";
import { implementThroughOutages } from "../../shared/durable/through-outages.ts";
import type { Blobs } from "../../shared/storage/blobs.ts";
import { takeRestore } from "./restore-list.contract.ts";
import { takeListed } from "./restore-list-state.ts";

/** Takes the next restore of a list for one turn of one place. Run twice, the turn gets the same restore. */
export const takeRestoreActivity = (deps: { readonly work: Blobs }): ActivityHandler =>
  implementThroughOutages(takeRestore, async ({ listId, place, turn, at }) => ({
    taken: await takeListed(deps.work, listId, { taker: place, turn, at }),
  }));
