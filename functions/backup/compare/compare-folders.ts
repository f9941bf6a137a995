import { mapBounded } from "../../../shared/bounded.ts";
import { MAILBOX_SLOTS } from "../../../shared/contracts/limits.ts";
import type { GraphClient } from "../../../shared/graph/graph-client.ts";
import { GraphError } from "../../../shared/graph/graph-error.ts";
import type { Blobs } from "../../../shared/storage/blobs.ts";
import { itemSet } from "../../../shared/vault/item-set.ts";
import { readPart } from "../../../shared/vault/part-reader.ts";
import type { FolderContent } from "../../../shared/vault/snapshot-index.ts";
import type { ExportRun } from "../export/export-batch.ts";
import { type FoldedCatalogue, foldedCatalogue } from "../folded-catalogue.ts";
import { catalogueOf } from "../plan/catalogue.ts";
import type { RunOutcome } from "../run-outcome.ts";
import {
  agreedItems,
  type ComparedFolder,
  type LiveContent,
  type RunFolder,
  type RunFolders,
  type RunState,
} from "../run-state.ts";
import { type Books, compareCounts } from "./compare-counts.ts";
import { goneIn, liveContents, type OwnChanges, ownChanges, totalOf } from "./live-contents.ts";

/** What folders are compared with. */
export interface CompareDeps {
  readonly graph: GraphClient;
  readonly vault: Blobs;
  readonly work: Blobs;
}

/**
 * Compares the folders of a run whose items are all exported with what Graph says that they hold: those that changed,
 * and those of which Graph tells another number than the one that agreed last. The others are as they were. Folders
 * that a wave before has compared are left out; so are those that could not be read to their end, which the next run
 * begins anew.
 *
 * @returns what was compared by the deadline, or until Graph asked for a longer wait. One folder is always tried.
 * @throws {GraphError} when Graph is down.
 */
export const compareFolders = async (
  { graph, vault, work }: CompareDeps,
  { mailbox, runId, run, found }: ExportRun & { readonly run: RunState; readonly found: RunFolders },
  outcome: RunOutcome,
  deadline: number,
): Promise<Comparison> => {
  const own = await ownChanges(vault, outcome.parts, outcome.removed);
  const isOpen = ({ id }: RunFolder): boolean =>
    outcome.finished.has(id) && !outcome.failed.has(id) && !outcome.compared.has(id);
  const isSuspect = (folder: RunFolder): boolean => own.folders.has(folder.id) || agreedItems(folder) === undefined;
  const suspects = found.folders.filter((folder) => isOpen(folder) && isSuspect(folder));
  if (suspects.length === 0) return NOTHING;

  const its = { key: mailbox.key, runId, folders: found.folders, full: run.full };
  const before = run.parent === null ? undefined : foldedCatalogue({ vault, work }, its, run.parent.id);
  const contents = await liveContents(own, before, goneIn(found));
  const books = await booksOf(vault, own, before, outcome, found, contents);
  const compared: ComparedFolder[] = [];
  let waitMs = 0;
  await mapBounded(suspects, MAILBOX_SLOTS, async (folder) => {
    if (folder !== suspects[0] && (waitMs > 0 || Date.now() >= deadline)) return;
    const counted = { ...folder, deltaLink: outcome.deltaLinks.get(folder.id) };
    try {
      compared.push(await compareCounts({ graph, mailbox, books, started: run.started }, counted));
    } catch (error) {
      if (!(error instanceof GraphError) || error.status !== 429) throw error;
      waitMs = Math.max(waitMs, error.retryAfterMs ?? 1);
    }
  });
  const live = { ...totalOf(contents), changed: [...own.folders] };
  return { compared, isWhole: compared.length === suspects.length, waitMs, live };
};

/** What a wave has compared, whether that is all, and the wait that Graph asked for. */
export interface Comparison {
  readonly compared: ComparedFolder[];
  readonly isWhole: boolean;
  readonly waitMs: number;
  /** Absent where there was nothing to compare. */
  readonly live?: LiveContent;
}

const NOTHING: Comparison = { compared: [], isWhole: true, waitMs: 0 };

/** What the snapshot of a run will have: what was there before, less what the run replaced or removed, and its own. */
const booksOf = async (
  vault: Blobs,
  own: OwnChanges,
  before: FoldedCatalogue | undefined,
  { parts, removed }: Pick<RunOutcome, "parts" | "removed">,
  { folders }: RunFolders,
  contents: ReadonlyMap<string, FolderContent>,
): Promise<Books> => {
  const catalogue = before === undefined ? undefined : catalogueOf(before);
  const told = itemSet();
  for (const { lost } of folders) for (const item of lost) told.add(item);
  for (const part of parts)
    if (part.leftOut)
      for await (const record of readPart(vault, part))
        if (record.op === "skip" || record.op === "fail") told.add(record);
  return {
    count: (folderId) => contents.get(folderId)?.items ?? 0,
    has: async (item) => own.has(item) || (!own.replaces(item) && ((await catalogue?.has(item)) ?? false)),
    idsIn: async function* (folderId) {
      const seen = itemSet();
      for (const removal of removed) seen.add(removal);
      for (const part of parts)
        for await (const record of readPart(vault, part))
          if (record.op === "put" && record.folderId === folderId && seen.add(record)) yield record.id;
      if (catalogue === undefined) return;
      for await (const id of catalogue.idsIn(folderId)) if (!own.replaces({ id, folderId })) yield id;
    },
    tells: (item) => told.has(item),
  };
};
