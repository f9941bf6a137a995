import type { ActivityHandler } from "durable-functions";
import { implement } from "../../shared/durable/activity.ts";
import type { Blobs } from "../../shared/storage/blobs.ts";
import { takeMailbox } from "./backup.contract.ts";
import { takeMailbox as take } from "./discover/mailbox-queue.ts";

/** Takes the next mailbox of a run's queue for a turn of a place. Run twice, the turn gets the same mailbox. */
export const takeMailboxActivity = (deps: { readonly work: Blobs }): ActivityHandler =>
  implement(takeMailbox, async ({ tenantRun, place, turn }) => ({
    mailbox: await take(deps.work, tenantRun, place, turn),
  }));
