import type { ActivityHandler } from "durable-functions";
import { backupInstance } from "../../shared/contracts/job-ids.ts";
import { implement } from "../../shared/durable/activity.ts";
import { claimPart } from "../../shared/durable/claimed-starts.ts";
import type { ClientOf } from "../../shared/durable/client.ts";
import type { Blobs } from "../../shared/storage/blobs.ts";
import { forgetWish } from "../jobs/wishes.ts";
import { takeMailbox } from "./backup-in-turn.contract.ts";
import { keepPlace, takeMailbox as take } from "./discover/mailbox-queue.ts";

/**
 * Takes the next mailbox of a run's queue for a turn of a place, notes what the place has come to, and claims the id of
 * the mailbox's backup, which is told nothing yet. Run twice, the turn gets the same mailbox.
 */
export const takeMailboxActivity = (deps: {
  readonly work: Blobs;
  readonly state: Blobs;
  readonly clientOf: ClientOf;
}): ActivityHandler =>
  implement(takeMailbox, async ({ tenantRun, place, turn, outcomes }, context) => {
    await keepPlace(deps.work, tenantRun, place, { turn, outcomes });
    const mailbox = await take(deps.work, tenantRun, place, turn);
    if (mailbox === undefined) return {};
    const instanceId = backupInstance(mailbox.key);
    const by = `${tenantRun} ${place} ${turn}`;
    const claim = await claimPart(deps.clientOf(context), deps.state, { instanceId, by });
    if (claim === "own") return { own: true as const };
    if (claim === "others") return { busy: true as const };
    await forgetWish(deps.state, instanceId);
    return { mailbox };
  });
