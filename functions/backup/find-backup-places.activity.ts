import type { ActivityHandler } from "durable-functions";
import { implement } from "../../shared/durable/activity.ts";
import type { Blobs } from "../../shared/storage/blobs.ts";
import type { BackupOutcomes } from "./backup.contract.ts";
import { findBackupPlaces } from "./backup-in-turn.contract.ts";
import { findPlace } from "./discover/mailbox-queue.ts";

const NOTHING: BackupOutcomes = { complete: 0, partial: 0, failed: 0, goesOn: 0, failures: [], items: 0, bytes: 0 };

/** Reads what the places of a window have come to. Only reads. */
export const findBackupPlacesActivity = (deps: { readonly work: Blobs }): ActivityHandler =>
  implement(findBackupPlaces, async ({ tenantRun, places }) => ({
    turns: await Promise.all(
      Array.from(
        { length: places },
        async (_, place) => (await findPlace(deps.work, tenantRun, place)) ?? { turn: 0, outcomes: NOTHING },
      ),
    ),
  }));
