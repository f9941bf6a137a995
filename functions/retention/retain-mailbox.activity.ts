import type { ActivityHandler, DurableClient } from "durable-functions";
import type { MailboxKey } from "../../shared/contracts/ids.ts";
import { backupInstance } from "../../shared/contracts/job-ids.ts";
import { implement } from "../../shared/durable/activity.ts";
import type { ClientOf } from "../../shared/durable/client.ts";
import { findInstance, isAlive } from "../../shared/durable/start-once.ts";
import type { RetentionPolicy } from "../../shared/retention-policy.ts";
import type { Blobs } from "../../shared/storage/blobs.ts";
import { forgetAndPrune } from "./forget-and-prune.ts";
import { type Retained, retainMailbox } from "./retention.contract.ts";
import { type SnapshotsInUse, snapshotsInUse } from "./snapshots-in-use.ts";

export interface RetainActivityDeps {
  readonly vault: Blobs;
  /** Deletes from the vault, which the identity that adds to it cannot. */
  readonly remove: Blobs["remove"];
  readonly state: Blobs;
  /** Without a policy nothing is ever removed. */
  readonly policy: RetentionPolicy | undefined;
  readonly clientOf: ClientOf;
  readonly laneBudgetMs: number;
}

/** Run twice, the second goes on from where the first one ended. */
export const retainMailboxActivity = (deps: RetainActivityDeps): ActivityHandler =>
  implement(retainMailbox, async ({ mailboxKey }, context) => {
    const { policy } = deps;
    if (policy === undefined) return NO_POLICY;
    const retained = await retentionRun({ ...deps, policy }, deps.clientOf(context))(mailboxKey);
    if (retained.damaged !== undefined)
      context.error(`The vault is damaged, so nothing is removed: ${retained.damaged}`);
    return retained;
  });

const NO_POLICY = {
  outcome: "no-policy" as const,
  kept: 0,
  going: 0,
  compacted: 0,
  waiting: 0,
  removed: 0,
  removedBytes: 0,
  refused: 0,
};

/** Forgets and prunes mailboxes until the budget is spent, which begins now. Asks once what jobs are using. */
export const retentionRun = (
  deps: RetainActivityDeps & { readonly policy: RetentionPolicy },
  client: DurableClient,
): ((mailboxKey: MailboxKey) => Promise<Retained>) => {
  const untilMs = Date.now() + deps.laneBudgetMs;
  let inUse: Promise<SnapshotsInUse> | undefined;
  return (mailboxKey) =>
    forgetAndPrune(deps, mailboxKey, {
      nowMs: Date.now(),
      isLate: () => Date.now() >= untilMs,
      isRunning: async () => isAlive(await findInstance(client, backupInstance(mailboxKey))),
      inUse: () => {
        inUse ??= snapshotsInUse(client);
        return inUse;
      },
    });
};
