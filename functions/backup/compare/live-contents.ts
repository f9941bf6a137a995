import { addCounts } from "../../../shared/contracts/add-counts.ts";
import type { Blobs } from "../../../shared/storage/blobs.ts";
import { itemSet } from "../../../shared/vault/item-set.ts";
import { liveness } from "../../../shared/vault/liveness.ts";
import type { PartRef } from "../../../shared/vault/manifest.ts";
import { readPart } from "../../../shared/vault/part-reader.ts";
import type { FolderContent } from "../../../shared/vault/snapshot-index.ts";
import type { FoldedCatalogue, FoldedItem } from "../folded-catalogue.ts";
import type { Removal, RunFolders } from "../run-state.ts";

/** What a run did to the items of its mailbox. */
export interface OwnChanges {
  /** The folders of which it stored, left out or removed items. */
  readonly folders: ReadonlySet<string>;
  /** What it stored, and did not remove again. */
  readonly stored: ReadonlyMap<string, FolderContent>;
  /** Whether it stored or removed an item, so that an older version of it is no longer live. */
  replaces(item: Pick<FoldedItem, "id" | "folderId">): boolean;
  /** Whether it stored an item, and did not remove it again. */
  has(item: Pick<FoldedItem, "id" | "folderId">): boolean;
}

/** Reads the parts of a run, newest record first. Takes 48 bytes of memory for each item that it stored or removed. */
export const ownChanges = async (
  vault: Blobs,
  exported: readonly PartRef[],
  removed: readonly Removal[],
): Promise<OwnChanges> => {
  const folders = new Set<string>();
  const stored = new Map<string, FolderContent>();
  const decided = itemSet();
  const live = itemSet();
  const isLive = liveness();
  for (const removal of removed) {
    folders.add(removal.folderId);
    decided.add(removal);
    isLive({ v: 1, op: "remove", ...removal });
  }
  for (const part of exported.toReversed())
    for await (const record of readPart(vault, part, "last-to-first")) {
      if ("folderId" in record && record.folderId !== undefined) folders.add(record.folderId);
      if (record.op === "put") decided.add(record);
      if (!isLive(record)) continue;
      live.add(record);
      add(stored, record.folderId, 1, record.rawBytes);
    }
  return { folders, stored, replaces: (item) => decided.has(item), has: (item) => live.has(item) };
};

/**
 * What each folder of the snapshot of a run holds: what it held before, without what the run replaced or removed, and
 * what the run stored. Of what was there before, it reads only folders that changed.
 */
export const liveContents = async (
  own: OwnChanges,
  before: FoldedCatalogue | undefined,
  gone: readonly string[],
): Promise<ReadonlyMap<string, FolderContent>> => {
  const contents = new Map(await before?.contents());
  for (const folderId of gone) contents.delete(folderId);
  const buckets = new Set([...own.folders].flatMap((folderId) => before?.bucketOf(folderId) ?? []));
  for (const bucket of buckets)
    for await (const item of before?.itemsIn(bucket) ?? [])
      if (own.replaces(item)) add(contents, item.folderId, -1, -item.rawBytes);
  for (const [folderId, { items, bytes }] of own.stored) add(contents, folderId, items, bytes);
  return contents;
};

/** The folders of the last snapshot that a run found gone, or no longer in its scope. */
export const goneIn = ({ removed, outside }: RunFolders): string[] => [...removed, ...outside.map(({ id }) => id)];

export const totalOf = (contents: ReadonlyMap<string, FolderContent>): FolderContent =>
  [...contents.values()].reduce(addCounts, { items: 0, bytes: 0 });

const add = (contents: Map<string, FolderContent>, folderId: string, items: number, bytes: number): void => {
  const before = contents.get(folderId) ?? { items: 0, bytes: 0 };
  contents.set(folderId, { items: before.items + items, bytes: before.bytes + bytes });
};
