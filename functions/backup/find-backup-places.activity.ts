import type { ActivityHandler } from "durable-functions";
import { implement } from "../../shared/durable/activity.ts";
import type { Blobs } from "../../shared/storage/blobs.ts";
import { findBackupPlaces, NO_OUTCOMES } from "./backup-in-turn.contract.ts";
import { findPlace } from "./discover/mailbox-queue.ts";

/** Reads what the places of a window have come to. Only reads. */
export const findBackupPlacesActivity = (deps: { readonly work: Blobs }): ActivityHandler =>
  implement(findBackupPlaces, async ({ tenantRun, places }) => ({
    turns: await Promise.all(
      Array.from(
        { length: places },
        async (_, place) => (await findPlace(deps.work, tenantRun, place)) ?? { turn: 0, outcomes: NO_OUTCOMES },
      ),
    ),
  }));
