import type { ActivityHandler } from "durable-functions";
import { takeRestore } from "../../shared/contracts/restore-list.ts";
import { implement } from "../../shared/durable/activity.ts";
import type { Blobs } from "../../shared/storage/blobs.ts";
import { takeListed } from "../../shared/work/restore-list.ts";

/** Takes the next restore of a list for one turn of one place. Run twice, the turn gets the same restore. */
export const takeRestoreActivity = (deps: { readonly work: Blobs }): ActivityHandler =>
  implement(takeRestore, async ({ listId, place, turn, at }) => ({
    taken: await takeListed(deps.work, listId, { taker: place, turn, at }),
  }));
