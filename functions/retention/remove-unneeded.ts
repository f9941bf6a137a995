import { mapBounded } from "../../shared/bounded.ts";
import { type MailboxKey, runStart, type SnapshotId } from "../../shared/contracts/ids.ts";
import type { Blobs } from "../../shared/storage/blobs.ts";
import { manifestName, parseVaultName, type VaultName } from "../../shared/vault/names.ts";
import type { SnapshotNames } from "../../shared/vault/snapshots.ts";
import type { NeededBlobs } from "./needed-blobs.ts";
import { type Removals, readRemovals, replaceRemovals } from "./removal-list.ts";

/** How long a blob must have been without need before it is removed: two looks so far apart must agree. */
const WAIT_MS = 24 * 3_600_000;

/** A run that began this long ago, and is not alive, will never commit what it stored. */
const GIVEN_UP_MS = 14 * 24 * 3_600_000;

/** Removals under way at a time, and how many there are between two looks at the clock and for a hold. */
const WIDTH = 8;
const SLICE = 200;

/** So many refusals end a cycle: the container is write-once, and tomorrow is another day. */
const MAX_REFUSED = 200;

export interface Removal {
  /** Blobs without need that are to be removed later, or were refused. */
  readonly waiting: number;
  readonly removed: number;
  readonly removedBytes: number;
  /** Blobs that the container did not let go. */
  readonly refused: number;
  /** Whether all that could be removed is. */
  readonly finished: boolean;
}

interface Unneeded {
  readonly name: string;
  readonly kind: VaultName["kind"];
  readonly bytes: number;
  readonly atMs: number;
}

/**
 * One cycle of removing what no snapshot needs. What is found without need is listed with the time; what was listed at
 * least a day ago, and is without need still, is removed.
 *
 * Manifests go first, newest first, then bases, then parts, then packs, and nothing goes that a manifest which is still
 * there needs, be it one that waits or one that the container keeps: so whenever this ends, no manifest names what is
 * not there. What runs newer than the newest manifest stored is left to them. Done twice, also at the same time, the
 * second finds the first one's work done.
 */
export const removeUnneeded = async (
  { vault, state }: { readonly vault: Blobs; readonly state: Blobs },
  mailboxKey: MailboxKey,
  { manifests, bases }: SnapshotNames,
  needed: NeededBlobs,
  cycle: {
    readonly nowMs: number;
    readonly isRunning: boolean;
    readonly isLate: () => boolean;
    readonly isOnHold: () => Promise<boolean>;
  },
): Promise<Removal> => {
  const { nowMs, isLate, isOnHold } = cycle;
  const { removals: before, etag } = await readRemovals(state, mailboxKey);
  const newest = manifests.at(-1) ?? "";
  const known = { manifest: new Set(manifests), base: new Set(bases) };
  const isLeftToRun = (run: SnapshotId) =>
    run > newest && (cycle.isRunning || runStart(run).getTime() > nowMs - GIVEN_UP_MS);

  const unneeded: Unneeded[] = [];
  for await (const { name, bytes } of vault.list(`${mailboxKey}/`)) {
    const parsed = parseVaultName(name);
    if (parsed === undefined || parsed.kind === "head" || needed.has(name) || isLeftToRun(parsed.snapshotId)) continue;
    // One that was written after the snapshots were named may be of a run that has just ended.
    if ((parsed.kind === "manifest" || parsed.kind === "base") && !known[parsed.kind].has(parsed.snapshotId)) continue;
    unneeded.push({ name, kind: parsed.kind, bytes, atMs: Math.min(before.get(name) ?? nowMs, nowMs) });
  }
  const tally = { removed: 0, removedBytes: 0, refused: 0 };
  const ended = (finished: boolean): Removal => ({ waiting: unneeded.length - tally.removed, ...tally, finished });

  const listed: Removals = new Map(unneeded.map(({ name, atMs }) => [name, atMs]));
  if (!isSame(before, listed) && !(await replaceRemovals(state, mailboxKey, listed, etag))) return ended(false);

  const due = unneeded.filter(({ atMs }) => atMs <= nowMs - WAIT_MS);
  if (due.length === 0) return ended(true);

  const remove = async ({ name, bytes }: Unneeded): Promise<boolean> => {
    const outcome = await vault.remove(name);
    if (outcome === "refused") tally.refused += 1;
    if (outcome === "removed") {
      tally.removed += 1;
      tally.removedBytes += bytes;
    }
    return outcome !== "refused";
  };

  const dueManifests = new Map(due.filter(({ kind }) => kind === "manifest").map((entry) => [entry.name, entry]));
  for (const id of manifests.toReversed()) {
    const name = manifestName(mailboxKey, id);
    if (needed.has(name)) continue;
    if (await isOnHold()) return ended(true);
    const entry = tally.refused < MAX_REFUSED ? dueManifests.get(name) : undefined;
    if (entry !== undefined && (await remove(entry))) continue;
    if (!(await needed.add(id))) return ended(false);
  }

  for (const kind of ["base", "part", "pack"] as const) {
    const left = due.filter((entry) => entry.kind === kind && !needed.has(entry.name));
    for (let from = 0; from < left.length; from += SLICE) {
      if (tally.refused >= MAX_REFUSED || (await isOnHold())) return ended(true);
      await mapBounded(left.slice(from, from + SLICE), WIDTH, remove);
      // Asked afterwards, so that each call gets further however late it is.
      if (isLate()) return ended(false);
    }
  }
  return ended(true);
};

const isSame = (a: Removals, b: Removals): boolean =>
  a.size === b.size && [...a].every(([name, atMs]) => b.get(name) === atMs);
