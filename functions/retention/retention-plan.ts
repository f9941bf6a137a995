import type { MailboxKey, SnapshotId } from "../../shared/contracts/ids.ts";
import type { RetentionPolicy } from "../../shared/retention-policy.ts";
import type { Blobs } from "../../shared/storage/blobs.ts";
import { type Hold, isHeld } from "../../shared/vault/head.ts";
import { whatStays } from "../../shared/vault/retention.ts";
import { nameSnapshots, readHead, readManifest } from "../../shared/vault/snapshots.ts";
import type { SnapshotsInUse } from "./snapshots-in-use.ts";

export interface RetentionPlan {
  /** The hold of the mailbox, if there is one, and whether it keeps everything: it may have ended. */
  readonly hold: Hold | undefined;
  readonly isOnHold: boolean;
  /** Oldest first, with why each stays; one without a reason goes. */
  readonly snapshots: readonly { readonly id: SnapshotId; readonly reasons: readonly string[] }[];
}

/**
 * What a policy means for a mailbox's snapshots. Beside what it says, the newest snapshot stays, the one that the head
 * names, which the next run follows, and the newest one that is complete; so do all while the mailbox is on hold, and
 * those that `inUse` names, which is asked only if any would go.
 */
export const planRetention = async (
  vault: Blobs,
  mailboxKey: MailboxKey,
  policy: RetentionPolicy,
  nowMs: number,
  inUse: () => Promise<SnapshotsInUse> = async () => () => false,
): Promise<RetentionPlan> => {
  const head = await readHead(vault, mailboxKey);
  const hold = head?.hold;
  const isOnHold = isHeld(hold, nowMs);
  const { manifests } = await nameSnapshots(vault, mailboxKey);
  const stays = whatStays(manifests, policy);
  const complete = await newestComplete(vault, mailboxKey, manifests);
  const isUsed = manifests.every((id) => stays.has(id)) ? undefined : await inUse();
  const snapshots = manifests.map((id) => ({
    id,
    reasons: [
      ...(isOnHold ? ["on hold"] : []),
      ...(stays.get(id) ?? []),
      ...(id === head?.newest?.id && id !== manifests.at(-1) ? ["newest of the head"] : []),
      ...(id === complete ? ["newest complete"] : []),
      ...(isUsed?.(mailboxKey, id) ? ["in use"] : []),
    ],
  }));
  return { hold, isOnHold, snapshots };
};

const newestComplete = async (
  vault: Blobs,
  mailboxKey: MailboxKey,
  ids: readonly SnapshotId[],
): Promise<SnapshotId | undefined> => {
  for (const id of ids.toReversed()) {
    const found = await readManifest(vault, mailboxKey, id);
    if (found?.manifest.state === "complete") return id;
  }
  return undefined;
};
