import type { MailboxKey, SnapshotId } from "../../shared/contracts/ids.ts";
import type { RetentionPolicy } from "../../shared/retention-policy.ts";
import { type Blobs, UnreadableBlobError } from "../../shared/storage/blobs.ts";
import { compactSnapshot } from "../../shared/vault/compact.ts";
import { isHeld } from "../../shared/vault/head.ts";
import { nameSnapshots, readHead, readManifest, type SnapshotNames } from "../../shared/vault/snapshots.ts";
import { planForget } from "./forget-plan.ts";
import { neededBlobs } from "./needed-blobs.ts";
import { dropPackLists } from "./pack-lists.ts";
import { prune } from "./prune.ts";
import { readCandidates, replaceCandidates } from "./prune-candidates.ts";
import type { Retained } from "./retention.contract.ts";
import type { SnapshotsInUse } from "./snapshots-in-use.ts";

export interface RetentionDeps {
  readonly vault: Blobs;
  /** Deletes from the vault. */
  readonly remove: Blobs["remove"];
  readonly state: Blobs;
  readonly policy: RetentionPolicy;
}

/** What a cycle must know beside the vault. */
export interface RetentionContext {
  readonly nowMs: number;
  readonly isLate: () => boolean;
  /** Whether a backup of the mailbox is alive. */
  readonly isRunning: () => Promise<boolean>;
  /** Snapshots that jobs work with at this moment. */
  readonly inUse: () => Promise<SnapshotsInUse>;
}

const NOTHING = { kept: 0, going: 0, compacted: 0, waiting: 0, removed: 0, removedBytes: 0, refused: 0 };

/**
 * One cycle of retention for a mailbox. Forgets: the policy says which snapshots are kept and which expire. A kept
 * snapshot that reaches back through an expiring one gets a base first. Prunes: the blobs that no kept snapshot needs
 * are listed, and a later cycle removes them. A call that ends early, for whatever reason, is continued by the next
 * one.
 */
export const forgetAndPrune = async (
  deps: RetentionDeps,
  mailboxKey: MailboxKey,
  context: RetentionContext,
): Promise<Retained> => {
  const { vault, state, policy } = deps;
  const { nowMs, isLate } = context;
  const counts = { ...NOTHING };
  try {
    // Asked first: a run that begins later is young, and so is what it stores.
    const isRunning = await context.isRunning();
    const { isOnHold, snapshots } = await planForget(vault, mailboxKey, policy, nowMs, context.inUse);
    const kept = snapshots.filter(({ reasons }) => reasons.length > 0).map(({ id }) => id);
    const expiring = snapshots.length - kept.length;
    counts.kept = kept.length;
    counts.going = expiring;
    if (isOnHold) {
      await clearCandidates(state, mailboxKey);
      return { outcome: "held", ...counts };
    }

    const manifests = snapshots.map(({ id }) => id);
    for (const id of expiring === 0 ? [] : await lackingBase(vault, mailboxKey, kept)) {
      const { outcome } = await compactSnapshot(vault, mailboxKey, id);
      if (outcome === "created") counts.compacted += 1;
      if (isLate()) return { outcome: "more", ...counts };
    }

    const names: SnapshotNames = { manifests, bases: (await nameSnapshots(vault, mailboxKey)).bases };
    const needed = neededBlobs(deps, mailboxKey, names.bases, isLate);
    for (const id of kept.toReversed()) if (!(await needed.add(id))) return { outcome: "more", ...counts };

    const { finished, ...pruned } = await prune(deps, mailboxKey, names, needed, {
      nowMs,
      isRunning,
      isLate,
      isOnHold: async () => isHeld((await readHead(vault, mailboxKey))?.hold, nowMs),
    });
    if (finished) await dropStalePackLists(deps, mailboxKey);
    return { outcome: finished ? "done" : "more", ...counts, ...pruned };
  } catch (error) {
    if (error instanceof UnreadableBlobError) return { outcome: "damaged", damaged: error.blob, ...counts };
    throw error;
  }
};

/** Kept snapshots without a base whose parent expires, the oldest first. */
const lackingBase = async (
  vault: Blobs,
  mailboxKey: MailboxKey,
  kept: readonly SnapshotId[],
): Promise<SnapshotId[]> => {
  const isKept = new Set(kept);
  const withBase = new Set((await nameSnapshots(vault, mailboxKey)).bases);
  const found: SnapshotId[] = [];
  for (const id of kept) {
    if (withBase.has(id)) continue;
    const manifest = (await readManifest(vault, mailboxKey, id))?.manifest;
    if (manifest?.parent && !manifest.base && !isKept.has(manifest.parent.id)) found.push(id);
  }
  return found;
};

/** Everything on hold is needed, so after the hold the grace period begins anew. */
const clearCandidates = async (state: Blobs, mailboxKey: MailboxKey): Promise<void> => {
  const { candidates, etag } = await readCandidates(state, mailboxKey);
  if (candidates.size > 0) await replaceCandidates(state, mailboxKey, new Map(), etag);
};

const dropStalePackLists = async ({ vault, state }: RetentionDeps, mailboxKey: MailboxKey): Promise<void> => {
  const present = new Set((await nameSnapshots(vault, mailboxKey)).manifests);
  await dropPackLists(state, mailboxKey, (id) => present.has(id));
};
