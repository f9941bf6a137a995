import type { ActivityHandler } from "durable-functions";
import { implement } from "../../shared/durable/activity.ts";
import type { Blobs } from "../../shared/storage/blobs.ts";
import { findRestorePlaces } from "./restore-list.contract.ts";
import { findPlace } from "./restore-list-state.ts";
import { NO_OUTCOMES } from "./restored-items.steps.ts";

/** Reads what the places of a window have come to. Only reads. */
export const findRestorePlacesActivity = (deps: { readonly work: Blobs }): ActivityHandler =>
  implement(findRestorePlaces, async ({ listId, places }) => ({
    turns: await Promise.all(
      Array.from(
        { length: places },
        async (_, place) => (await findPlace(deps.work, listId, place)) ?? { turn: 0, outcomes: NO_OUTCOMES },
      ),
    ),
  }));
