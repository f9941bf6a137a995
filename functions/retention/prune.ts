import { mapBounded } from "../../shared/bounded.ts";
import type { MailboxKey, SnapshotId } from "../../shared/contracts/ids.ts";
import type { Blobs } from "../../shared/storage/blobs.ts";
import { manifestName, parseVaultName, type VaultName } from "../../shared/vault/names.ts";
import type { SnapshotNames } from "../../shared/vault/snapshots.ts";
import type { NeededBlobs } from "./needed-blobs.ts";
import { type PruneCandidates, readCandidates, replaceCandidates } from "./prune-candidates.ts";

/** A blob is removed when two scans this far apart found it unneeded. */
const GRACE_PERIOD_MS = 24 * 3_600_000;

/** What a run that is not alive wrote this long ago, by the storage's clock, no run will commit any more. */
const ABANDONED_AFTER_MS = 14 * 24 * 3_600_000;

/** Removals in flight at a time. */
const WIDTH = 8;

/** Removals between two looks at the clock and at the hold. */
const SLICE = 200;

/** This many refusals end a cycle: the container is write-once, and the next night's cycle tries again. */
const MAX_REFUSED = 200;

export interface PruneResult {
  /** Unneeded blobs that are to be removed later, or that the container refused to remove. */
  readonly waiting: number;
  readonly removed: number;
  readonly removedBytes: number;
  readonly refused: number;
  /** Whether everything that could be removed is removed. */
  readonly finished: boolean;
}

export interface PruneCycle {
  readonly nowMs: number;
  /** Whether a backup of the mailbox was alive before its snapshots were named. */
  readonly isRunning: boolean;
  readonly isLate: () => boolean;
  readonly isOnHold: () => Promise<boolean>;
}

interface Candidate {
  readonly name: string;
  readonly kind: VaultName["kind"];
  readonly bytes: number;
  /** Whether its run has a manifest: nothing else of that run is to come. */
  readonly isCommitted: boolean;
  /** When it was first found unneeded. */
  readonly sinceMs: number;
}

/** How a stage of removals ended. `stopped`: this cycle removes nothing more; `late`: the next call goes on. */
type StageEnd = "complete" | "stopped" | "late";

/**
 * One cycle of removing the blobs that no snapshot needs. A blob that is found unneeded becomes a candidate. A
 * candidate of a day ago or longer that is still unneeded is removed.
 *
 * Manifests go first, the newest first, then bases, then parts, then packs. A blob stays as long as any manifest needs
 * it that is still there, also one that waits or that the container keeps. So whenever this ends, no manifest names a
 * missing blob. While a backup is alive, whatever belongs to no manifest may be its own, and stays; what is newer than
 * the newest manifest is left to the run after it too. Run twice, also at the same time, the second finds the first
 * one's work done.
 */
export const prune = async (
  { vault, remove, state }: { readonly vault: Blobs; readonly remove: Blobs["remove"]; readonly state: Blobs },
  mailboxKey: MailboxKey,
  snapshots: SnapshotNames,
  needed: NeededBlobs,
  cycle: PruneCycle,
): Promise<PruneResult> => {
  const stored = await readCandidates(state, mailboxKey);
  const candidates = await findCandidates(vault, mailboxKey, snapshots, needed, stored.candidates, cycle);
  const remover = countingRemover(remove);
  const result = (finished: boolean): PruneResult => {
    const { counts } = remover;
    return { waiting: candidates.length - counts.removed, ...counts, finished };
  };

  const found: PruneCandidates = new Map(candidates.map(({ name, sinceMs }) => [name, sinceMs]));
  if (!isSame(stored.candidates, found) && !(await replaceCandidates(state, mailboxKey, found, stored.etag)))
    return result(false);

  const due = candidates.filter(
    ({ sinceMs, isCommitted }) => sinceMs <= cycle.nowMs - GRACE_PERIOD_MS && (isCommitted || !cycle.isRunning),
  );
  if (due.length === 0) return result(true);
  const manifests = await removeManifests(mailboxKey, snapshots, due, needed, remover, cycle);
  const end = manifests === "complete" ? await removeRest(due, needed, remover, cycle) : manifests;
  return result(end !== "late");
};

const findCandidates = async (
  vault: Blobs,
  mailboxKey: MailboxKey,
  { manifests, bases }: SnapshotNames,
  needed: NeededBlobs,
  before: PruneCandidates,
  { nowMs, isRunning }: PruneCycle,
): Promise<Candidate[]> => {
  const newest = manifests.at(-1) ?? "";
  const known = { manifest: new Set(manifests), base: new Set(bases) };
  /** Ids and this clock tell nothing of a run that is alive: a clock may have been wrong. */
  const isLeftToRun = (name: string, run: SnapshotId, modified: Date): boolean =>
    isRunning ? run > newest || !before.has(name) : run > newest && modified.getTime() > nowMs - ABANDONED_AFTER_MS;

  const candidates: Candidate[] = [];
  for await (const { name, bytes, modified } of vault.list(`${mailboxKey}/`)) {
    const parsed = parseVaultName(name);
    if (parsed === undefined || parsed.kind === "head" || needed.has(name)) continue;
    const { kind, snapshotId } = parsed;
    const isCommitted = known.manifest.has(snapshotId);
    if (!isCommitted && isLeftToRun(name, snapshotId, modified)) continue;
    // One that was written after the snapshots were named may be of a run that has just ended.
    if ((kind === "manifest" || kind === "base") && !known[kind].has(snapshotId)) continue;
    candidates.push({ name, kind, bytes, isCommitted, sinceMs: Math.min(before.get(name) ?? nowMs, nowMs) });
  }
  return candidates;
};

/** Removes the manifests that are due; the blobs that the others need are added to `needed`. */
const removeManifests = async (
  mailboxKey: MailboxKey,
  { manifests }: SnapshotNames,
  due: readonly Candidate[],
  needed: NeededBlobs,
  { isRefused, remove }: Remover,
  { isOnHold }: PruneCycle,
): Promise<StageEnd> => {
  const dueManifests = new Map(due.filter(({ kind }) => kind === "manifest").map((entry) => [entry.name, entry]));
  for (const id of manifests.toReversed()) {
    const name = manifestName(mailboxKey, id);
    if (needed.has(name)) continue;
    if (await isOnHold()) return "stopped";
    const entry = isRefused() ? undefined : dueManifests.get(name);
    if (entry !== undefined && (await remove(entry))) continue;
    if (!(await needed.add(id))) return "late";
  }
  return "complete";
};

const removeRest = async (
  due: readonly Candidate[],
  needed: NeededBlobs,
  { isRefused, remove }: Remover,
  { isLate, isOnHold }: PruneCycle,
): Promise<StageEnd> => {
  for (const kind of ["base", "part", "pack"] as const) {
    const left = due.filter((entry) => entry.kind === kind && !needed.has(entry.name));
    for (let from = 0; from < left.length; from += SLICE) {
      if (isRefused() || (await isOnHold())) return "stopped";
      await mapBounded(left.slice(from, from + SLICE), WIDTH, remove);
      // Asked afterwards, so that each call gets further however late it is.
      if (isLate()) return "late";
    }
  }
  return "complete";
};

type Remover = ReturnType<typeof countingRemover>;

const countingRemover = (removeBlob: Blobs["remove"]) => {
  const counts = { removed: 0, removedBytes: 0, refused: 0 };
  return {
    counts,
    /** Whether the container refuses so often that it makes no sense to go on. */
    isRefused: () => counts.refused >= MAX_REFUSED,
    /** False when the container refused. */
    remove: async ({ name, bytes }: Candidate): Promise<boolean> => {
      const outcome = await removeBlob(name);
      if (outcome === "refused") counts.refused += 1;
      if (outcome === "removed") {
        counts.removed += 1;
        counts.removedBytes += bytes;
      }
      return outcome !== "refused";
    },
  };
};

const isSame = (a: PruneCandidates, b: PruneCandidates): boolean =>
  a.size === b.size && [...a].every(([name, sinceMs]) => b.get(name) === sinceMs);
