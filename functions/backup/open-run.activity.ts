import type { ActivityHandler } from "durable-functions";
import { openRun } from "../../shared/contracts/backup.ts";
import { implement } from "../../shared/durable/activity.ts";
import type { LiveFolder } from "../../shared/graph/folders.ts";
import type { OpenGraph } from "../../shared/graph/graph-client.ts";
import type { MailboxKey } from "../../shared/ids.ts";
import type { Blobs } from "../../shared/vault/blobs.ts";
import type { Manifest } from "../../shared/vault/manifest.ts";
import { partName } from "../../shared/vault/names.ts";
import { readPart } from "../../shared/vault/part-reader.ts";
import { writePart } from "../../shared/vault/part-writer.ts";
import { type CatalogueRecord, FolderFacts, ItemFacts } from "../../shared/vault/records.ts";
import { type PinnedManifest, readHead, readManifest } from "../../shared/vault/snapshots.ts";
import { keepRun, type RunFolder, type RunState } from "../../shared/work/run-state.ts";
import { type FolderScope, foldersInScope } from "./folder-scope.ts";
import { type Stock, takeStock } from "./take-stock.ts";

/** How long opening a run waits for Graph before the task hub takes over. */
const PATIENCE_MS = 60_000;

/**
 * Takes stock of a mailbox: its folders, those that changed becoming the run's first part, and the snapshot that this
 * run follows, with where its deltas ended and what it could not store.
 *
 * Run twice, the second gets what the first found, even if the mailbox has changed in between.
 */
export const openRunActivity = (deps: {
  readonly openGraph: OpenGraph;
  readonly vault: Blobs;
  readonly work: Blobs;
  readonly laneBudgetMs: number;
  readonly folderScope?: FolderScope;
}): ActivityHandler =>
  implement(openRun, async ({ mailbox, runId, full }) => {
    const { vault, work, laneBudgetMs } = deps;
    const graph = deps.openGraph({ untilMs: Date.now() + PATIENCE_MS });
    const started = new Date().toISOString();
    const parent = await newestSnapshot(vault, mailbox.key);
    const stock = await takeStock(graph, mailbox, full ? undefined : parent?.manifest);
    const failed = parent === undefined ? [] : await failedItems(vault, parent.manifest);

    const run = await keepRun(work, runId, { ...runOf(stock, parent, failed, full, deps.folderScope), started });
    const records = folderRecords(run.folders, parent?.manifest.folders ?? []);
    if (records.length > 0) await writePart(vault, partName(mailbox.key, runId, "folders"), records);
    return {
      folders: run.folders.length,
      expectedItems: expected(run.folders),
      laneBudgetMs,
    };
  });

const newestSnapshot = async (vault: Blobs, key: MailboxKey): Promise<PinnedManifest | undefined> => {
  const newest = (await readHead(vault, key))?.newest;
  return newest ? readManifest(vault, key, newest.id) : undefined;
};

const runOf = (
  { folders, foldersDeltaLink }: Stock,
  parent: PinnedManifest | undefined,
  failed: readonly ItemFacts[],
  full: boolean,
  scope?: FolderScope,
): Omit<RunState, "started"> => {
  const taken = new Set(foldersInScope(folders, scope));
  const others = folders.filter((folder) => !taken.has(folder));
  return {
    parent: parent === undefined ? null : { id: parent.manifest.id, sha256: parent.sha256 },
    folders: runFolders([...taken], parent, failed, full),
    ...(foldersDeltaLink === undefined ? {} : { foldersDeltaLink, otherFolders: others.map(facts) }),
  };
};

const facts = (folder: LiveFolder): FolderFacts => FolderFacts.parse(folder);

const runFolders = (
  folders: readonly LiveFolder[],
  parent: PinnedManifest | undefined,
  failed: readonly ItemFacts[],
  full: boolean,
): RunFolder[] => {
  const before = new Map(parent?.manifest.folders.map((folder) => [folder.id, folder]));
  return folders.map((folder) => {
    const last = before.get(folder.id);
    return {
      ...folder,
      known: last !== undefined,
      retry: failed.filter(({ folderId }) => folderId === folder.id),
      ...(last?.deltaLink === undefined || full ? {} : { deltaLink: last.deltaLink }),
    };
  });
};

/** The folders that are new, changed or gone. */
const folderRecords = (now: readonly RunFolder[], before: readonly FolderFacts[]): CatalogueRecord[] => {
  const then = new Map(before.map((folder) => [folder.id, folder]));
  const ids = new Set(now.map(({ id }) => id));
  return [
    ...now
      .filter((folder) => !sameFolder(folder, then.get(folder.id)))
      .map((folder) => ({ v: 1 as const, op: "folder" as const, ...FolderFacts.parse(folder) })),
    ...before
      .filter(({ id }) => !ids.has(id))
      .map(({ id }) => ({ v: 1 as const, op: "folder" as const, id, removed: true as const })),
  ];
};

const sameFolder = (a: FolderFacts, b: FolderFacts | undefined): boolean =>
  b !== undefined &&
  a.displayName === b.displayName &&
  a.parentId === b.parentId &&
  a.path === b.path &&
  a.type === b.type &&
  a.wellKnownName === b.wellKnownName;

/** The items that a snapshot could not store. Its own parts say it: the run before it was told of older ones. */
const failedItems = async (vault: Blobs, { parts, counts }: Manifest): Promise<ItemFacts[]> => {
  if (counts.failed === 0) return [];
  const items: ItemFacts[] = [];
  for (const part of parts)
    for await (const record of readPart(vault, part))
      if (record.op === "fail") {
        items.push(ItemFacts.parse(record));
      }
  return items;
};

/** How many items a run may find: all of a folder that is listed, and nobody knows how many where only changes come. */
const expected = (folders: readonly RunFolder[]): number =>
  folders.reduce((sum, { itemCount, deltaLink }) => sum + (deltaLink === undefined ? itemCount : 0), 0);
