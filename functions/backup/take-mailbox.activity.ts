import type { ActivityHandler } from "durable-functions";
import { backupInstance } from "../../shared/contracts/job-ids.ts";
import { implement } from "../../shared/durable/activity.ts";
import { claimPart } from "../../shared/durable/claimed-starts.ts";
import type { ClientOf } from "../../shared/durable/client.ts";
import type { Blobs } from "../../shared/storage/blobs.ts";
import { keepFurthest } from "../../shared/storage/furthest.ts";
import { forgetWish } from "../jobs/wishes.ts";
import { BackupTurn, takeMailbox } from "./backup.contract.ts";
import { placeName, takeMailbox as take } from "./discover/mailbox-queue.ts";

/**
 * Takes the next mailbox of a run's queue for a turn of a place, and claims the id of its backup, which is told nothing
 * yet. Run twice, the turn gets the same mailbox. A place that was lost goes on from its last turn.
 */
export const takeMailboxActivity = (deps: {
  readonly work: Blobs;
  readonly state: Blobs;
  readonly clientOf: ClientOf;
}): ActivityHandler =>
  implement(takeMailbox, async ({ tenantRun, place, turn, outcomes }, context) => {
    const furthest = await keepFurthest(deps.work, placeName(tenantRun, place), BackupTurn, { turn, outcomes });
    if (furthest.turn > turn) return { ahead: furthest };
    const mailbox = await take(deps.work, tenantRun, place, turn);
    if (mailbox === undefined) return {};
    const instanceId = backupInstance(mailbox.key);
    const by = `${tenantRun} ${place} ${turn}`;
    if (!(await claimPart(deps.clientOf(context), deps.state, { instanceId, by }))) return { busy: true as const };
    await forgetWish(deps.state, instanceId);
    return { mailbox };
  });
