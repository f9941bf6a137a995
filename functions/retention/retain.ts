import type { MailboxKey, SnapshotId } from "../../shared/contracts/ids.ts";
import type { RetentionPolicy } from "../../shared/retention-policy.ts";
import { type Blobs, UnreadableBlobError } from "../../shared/storage/blobs.ts";
import { compactSnapshot } from "../../shared/vault/compact.ts";
import { isHeld } from "../../shared/vault/head.ts";
import { nameSnapshots, readHead, readManifest, type SnapshotNames } from "../../shared/vault/snapshots.ts";
import { neededBlobs } from "./needed-blobs.ts";
import { forgetPackLists } from "./pack-lists.ts";
import { readRemovals, replaceRemovals } from "./removal-list.ts";
import { removeUnneeded } from "./remove-unneeded.ts";
import { planRetention } from "./retention-plan.ts";
import type { SnapshotsInUse } from "./snapshots-in-use.ts";

export interface RetainDeps {
  readonly vault: Blobs;
  readonly state: Blobs;
  readonly policy: RetentionPolicy;
}

/** What a cycle must know of the world beside the vault. */
export interface Surroundings {
  readonly nowMs: number;
  readonly isLate: () => boolean;
  /** Whether a backup of the mailbox is alive. */
  readonly isRunning: () => Promise<boolean>;
  /** Snapshots that jobs work with at this moment. */
  readonly inUse: () => Promise<SnapshotsInUse>;
}

/**
 * `held`: the mailbox is on hold, and nothing was removed. `damaged`: what is needed is not as it should be, and
 * nothing more was removed. `more`: time was up, and the next call goes on.
 */
export interface Retained {
  readonly outcome: "done" | "more" | "held" | "damaged";
  /** The blob that is damaged. */
  readonly damaged?: string;
  readonly kept: number;
  readonly going: number;
  readonly compacted: number;
  readonly waiting: number;
  readonly removed: number;
  readonly removedBytes: number;
  readonly refused: number;
}

const NOTHING = { kept: 0, going: 0, compacted: 0, waiting: 0, removed: 0, removedBytes: 0, refused: 0 };

/**
 * Keeps of a mailbox what the policy says, and removes the rest in cycles: snapshots that stay, and that reach back
 * through one that goes, get a base first; then what no snapshot needs any more is listed, and removed by a later
 * cycle. Whatever it was doing when it ended, it goes on from when it is called again.
 */
export const retain = async (deps: RetainDeps, mailboxKey: MailboxKey, around: Surroundings): Promise<Retained> => {
  const { vault, state, policy } = deps;
  const { nowMs, isLate } = around;
  const isOnHold = async () => isHeld((await readHead(vault, mailboxKey))?.hold, nowMs);
  const counts = { ...NOTHING };
  try {
    // Asked first: a run that begins later is young, and so is what it stores.
    const isRunning = await around.isRunning();
    const { isOnHold: held, snapshots } = await planRetention(vault, mailboxKey, policy, nowMs, around.inUse);
    const kept = snapshots.filter(({ reasons }) => reasons.length > 0).map(({ id }) => id);
    counts.kept = kept.length;
    counts.going = snapshots.length - kept.length;
    if (held) {
      await forgetRemovals(state, mailboxKey);
      return { outcome: "held", ...counts };
    }

    const manifests = snapshots.map(({ id }) => id);
    for (const id of await reachingThroughOthers(vault, mailboxKey, kept, manifests)) {
      const { outcome } = await compactSnapshot(vault, mailboxKey, id);
      if (outcome === "created") counts.compacted += 1;
      if (isLate()) return { outcome: "more", ...counts };
    }

    const names: SnapshotNames = { manifests, bases: (await nameSnapshots(vault, mailboxKey)).bases };
    const needed = neededBlobs(deps, mailboxKey, names.bases, isLate);
    for (const id of kept.toReversed()) if (!(await needed.add(id))) return { outcome: "more", ...counts };

    const { finished, ...removal } = await removeUnneeded(deps, mailboxKey, names, needed, {
      nowMs,
      isRunning,
      isLate,
      isOnHold,
    });
    if (finished) await forgetLists(deps, mailboxKey);
    return { outcome: finished ? "done" : "more", ...counts, ...removal };
  } catch (error) {
    if (error instanceof UnreadableBlobError) return { outcome: "damaged", damaged: error.blob, ...counts };
    throw error;
  }
};

/** Snapshots that stay, and whose parent goes: those that have no base to begin at. Oldest first. */
const reachingThroughOthers = async (
  vault: Blobs,
  mailboxKey: MailboxKey,
  kept: readonly SnapshotId[],
  manifests: readonly SnapshotId[],
): Promise<SnapshotId[]> => {
  if (kept.length === manifests.length) return [];
  const stays = new Set(kept);
  const withBase = new Set((await nameSnapshots(vault, mailboxKey)).bases);
  const found: SnapshotId[] = [];
  for (const id of kept) {
    if (withBase.has(id)) continue;
    const manifest = (await readManifest(vault, mailboxKey, id))?.manifest;
    if (manifest?.parent && !manifest.base && !stays.has(manifest.parent.id)) found.push(id);
  }
  return found;
};

/** What is on hold is needed, so that after the hold everything waits anew. */
const forgetRemovals = async (state: Blobs, mailboxKey: MailboxKey): Promise<void> => {
  const { removals, etag } = await readRemovals(state, mailboxKey);
  if (removals.size > 0) await replaceRemovals(state, mailboxKey, new Map(), etag);
};

const forgetLists = async ({ vault, state }: RetainDeps, mailboxKey: MailboxKey): Promise<void> => {
  const there = new Set((await nameSnapshots(vault, mailboxKey)).manifests);
  await forgetPackLists(state, mailboxKey, (id) => there.has(id));
};
