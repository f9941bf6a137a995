import type { ActivityHandler } from "durable-functions";
import { implement } from "../../shared/durable/activity.ts";
import type { Blobs } from "../../shared/storage/blobs.ts";
import { compactSnapshot, isCompactionDue } from "../../shared/vault/compact.ts";
import { VaultDamageError } from "../../shared/vault/damage.ts";
import { readHead } from "../../shared/vault/snapshots.ts";
import { compactMailbox } from "./retention.contract.ts";

/** Run twice, the base that is written first stands. Killed, it leaves only parts that nothing names. */
export const compactMailboxActivity = (deps: { readonly vault: Blobs }): ActivityHandler =>
  implement(compactMailbox, async ({ mailboxKey }, context) => {
    const newest = (await readHead(deps.vault, mailboxKey))?.newest;
    if (!newest) return { outcome: "no-snapshot" as const, records: 0 };
    const { id: snapshotId, items } = newest;
    try {
      if (!(await isCompactionDue(deps.vault, mailboxKey, snapshotId, items)))
        return { outcome: "not-due" as const, snapshotId, records: 0 };
      const { records } = await compactSnapshot(deps.vault, mailboxKey, snapshotId);
      return { outcome: "compacted" as const, snapshotId, records };
    } catch (error) {
      if (!(error instanceof VaultDamageError)) throw error;
      context.error("The vault is damaged", error);
      return { outcome: "damaged" as const, snapshotId, records: 0 };
    }
  });
