import type { RunId } from "../../shared/contracts/ids.ts";
import type { Blobs } from "../../shared/storage/blobs.ts";
import { itemKey } from "../../shared/vault/item-key.ts";
import type { PartRef } from "../../shared/vault/manifest.ts";
import { distinctProblems } from "../../shared/vault/problems.ts";
import type { Problem } from "../../shared/vault/records.ts";
import {
  type ComparedFolder,
  type Findings,
  type LiveContent,
  type Removal,
  readWaves,
  type WaveRecord,
} from "./run-state.ts";

/** The findings of a whole run. */
export interface FoldedFindings {
  /** Every folder that was planned to its end. */
  readonly finished: ReadonlySet<string>;
  /** The folders among them that could be read only in part. */
  readonly failed: ReadonlySet<string>;
  /** The delta links of those that have one. */
  readonly deltaLinks: ReadonlyMap<string, string>;
  /** Those that were listed. */
  readonly listed: ReadonlySet<string>;
  /** The items that were removed and had not reappeared when planning ended. */
  readonly removed: readonly Removal[];
  /** Each once: as it was found first. */
  readonly problems: readonly Problem[];
}

/** What the waves of a run left. */
export interface RunOutcome extends FoldedFindings {
  readonly parts: readonly PartRef[];
  /** The folders that were compared with what Graph says that they hold. */
  readonly compared: ReadonlyMap<string, ComparedFolder>;
  /** Known where the last wave has compared the folders. */
  readonly live?: LiveContent | undefined;
}

/**
 * The removals of findings, less the items that reappeared; never below zero, as those may belong to other findings.
 */
export const removalsIn = ({ events }: Findings): number =>
  Math.max(
    0,
    events.reduce((sum, { op }) => sum + (op === "removed" ? 1 : -1), 0),
  );

/** Folds findings, which must come in the order of the chain. */
export const foldFindings = (all: readonly Findings[]): FoldedFindings => {
  const finished = new Set<string>();
  const failed = new Set<string>();
  const deltaLinks = new Map<string, string>();
  const listed = new Set<string>();
  const removed = new Map<string, Removal>();
  for (const findings of all) {
    for (const { folderId, deltaLink, failed: hasFailed, listed: isListed } of findings.finished) {
      finished.add(folderId);
      if (hasFailed === true) failed.add(folderId);
      if (isListed === true) listed.add(folderId);
      if (deltaLink !== undefined) deltaLinks.set(folderId, deltaLink);
    }
    for (const event of findings.events) {
      if (event.op === "reappeared") removed.delete(itemKey(event));
      else removed.set(itemKey(event), { id: event.id, folderId: event.folderId, reason: event.reason });
    }
  }
  const problems = distinctProblems(all.flatMap((findings) => findings.problems));
  return { finished, failed, deltaLinks, listed, removed: [...removed.values()], problems };
};

/**
 * The outcome of a run's waves: the parts that they wrote, in order, and their findings.
 *
 * @throws {Error} when the record of a wave is missing.
 */
export const readOutcome = async (work: Blobs, runId: RunId, waves: number): Promise<RunOutcome> =>
  foldWaves(await readWaves(work, runId, waves));

/** Folds the records of waves, which must come in their order. */
export const foldWaves = (
  records: readonly Pick<WaveRecord, "parts" | "findings" | "compared" | "live">[],
): RunOutcome => ({
  ...foldFindings(records.map(({ findings }) => findings)),
  parts: records.flatMap(({ parts }) => parts),
  live: records.at(-1)?.live,
  compared: new Map(records.flatMap(({ compared }) => compared.map((folder) => [folder.folderId, folder] as const))),
});
