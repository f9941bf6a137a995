import { type MailboxKey, runStart, type SnapshotId } from "../../shared/contracts/ids.ts";
import type { RetentionPolicy } from "../../shared/retention-policy.ts";
import type { Blobs } from "../../shared/storage/blobs.ts";
import { type Hold, isHeld } from "../../shared/vault/head.ts";
import { keepReasons } from "../../shared/vault/retention.ts";
import { nameSnapshots, readHead, readManifest } from "../../shared/vault/snapshots.ts";
import type { SnapshotsInUse } from "./snapshots-in-use.ts";

export interface ForgetPlan {
  /** The hold of the mailbox, if there is one, and whether it keeps everything: it may have ended. */
  readonly hold: Hold | undefined;
  readonly isOnHold: boolean;
  /** The oldest first, with the reasons to keep each; one without a reason expires. */
  readonly snapshots: readonly { readonly id: SnapshotId; readonly reasons: readonly string[] }[];
}

/** The most that the clocks of workers differ as long as they are right. */
const CLOCK_SKEW_MS = 3_600_000;

/**
 * Applies a policy to a mailbox's snapshots. Some are kept whatever it says: the newest; the one that the head names,
 * which the next run follows; the newest complete one; all of them while the mailbox is on hold; those in use; and
 * those whose time is still to come, since a clock was wrong: the policy applies to them when it has come. `inUse` is
 * called only if any snapshot would expire.
 */
export const planForget = async (
  vault: Blobs,
  mailboxKey: MailboxKey,
  policy: RetentionPolicy,
  nowMs: number,
  inUse: () => Promise<SnapshotsInUse> = async () => () => false,
): Promise<ForgetPlan> => {
  const head = await readHead(vault, mailboxKey);
  const hold = head?.hold;
  const isOnHold = isHeld(hold, nowMs);
  const { manifests } = await nameSnapshots(vault, mailboxKey);
  const isAhead = (id: SnapshotId): boolean => runStart(id).getTime() > nowMs + CLOCK_SKEW_MS;
  const kept = keepReasons(
    manifests.filter((id) => !isAhead(id)),
    policy,
  );
  const complete = await newestComplete(vault, mailboxKey, manifests);
  const isUsed = manifests.every((id) => kept.has(id) || isAhead(id)) ? undefined : await inUse();
  const snapshots = manifests.map((id) => ({
    id,
    reasons: [
      ...(isOnHold ? ["on hold"] : []),
      ...(kept.get(id) ?? []),
      ...(isAhead(id) ? ["ahead of the clock"] : []),
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
