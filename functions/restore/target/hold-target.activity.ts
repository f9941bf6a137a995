import type { ActivityHandler } from "durable-functions";
import type { ClientOf } from "../../../shared/durable/client.ts";
import { implementThroughOutages } from "../../../shared/durable/through-outages.ts";
import type { Blobs } from "../../../shared/storage/blobs.ts";
import { findRestorePlan } from "../restore-state.ts";
import { askForTarget } from "./ask-for-target.ts";
import { holdTarget } from "./hold-target.contract.ts";

/**
 * Takes a restore's mailbox, or keeps its turn and says what it waits for. A restore that has a plan already must find
 * that no other job has had the mailbox since. Run twice, it has the mailbox already.
 */
export const holdTargetActivity = (deps: {
  readonly clientOf: ClientOf;
  readonly work: Blobs;
  readonly state: Blobs;
}): ActivityHandler =>
  implementThroughOutages(holdTarget, async ({ restoreId, mailboxKey }, context) => {
    const { clientOf, work, state } = deps;
    const planned = (await findRestorePlan(work, restoreId)) !== undefined;
    return askForTarget({ work, state, client: clientOf(context) }, mailboxKey, { restoreId, waits: true, planned });
  });
