import type { MailboxKey, SnapshotId } from "../contracts/ids.ts";
import type { Blobs } from "../storage/blobs.ts";
import type { Manifest } from "./manifest.ts";
import { readPart } from "./part-reader.ts";
import { type CatalogueRecord, FolderFacts, type FolderRecord, SnapshotFolder } from "./records.ts";
import { walkToBase } from "./snapshots.ts";

/** The folders of a mailbox at one time, in the order of their paths. */
export interface SnapshotFolders {
  readonly folders: readonly SnapshotFolder[];
  /** Those that were there and are not backed up, so that changes below them can be told apart. */
  readonly otherFolders: readonly FolderFacts[];
}

/** Finds the folders of a snapshot among the records on the way to its base, newest first. */
export interface FolderFold {
  /** To be called for each manifest before its records. */
  begin(manifest: Manifest): void;
  take(record: CatalogueRecord): void;
  /** Whether older records do not count: a manifest of version 1 names all folders itself. */
  readonly isWhole: boolean;
  result(): SnapshotFolders;
}

export const folderFold = (): FolderFold => {
  const newest = new Map<string, FolderRecord>();
  let isWhole = false;
  const take = (record: FolderRecord): void => {
    if (!isWhole && !newest.has(record.id)) newest.set(record.id, record);
  };
  return {
    get isWhole() {
      return isWhole;
    },
    begin: (manifest) => {
      if (manifest.v !== 1) return;
      for (const folder of manifest.folders) take(folderRecord(folder));
      for (const folder of manifest.otherFolders ?? []) take(otherFolderRecord(folder));
      isWhole = true;
    },
    take: (record) => {
      if (record.op === "folder") take(record);
    },
    result: () => {
      const there = [...newest.values()].flatMap((record) => ("removed" in record ? [] : [record]));
      const inOrder = there.toSorted((a, b) => (a.path < b.path ? -1 : 1));
      return {
        folders: inOrder.flatMap((each) => (each.outside ? [] : [SnapshotFolder.parse({ itemCount: 0, ...each })])),
        otherFolders: inOrder.flatMap((each) => (each.outside ? [FolderFacts.parse(each)] : [])),
      };
    },
  };
};

/** The folders of a snapshot. Reads no parts with items. */
export const readFolders = async (
  vault: Blobs,
  mailboxKey: MailboxKey,
  snapshotId: SnapshotId,
): Promise<SnapshotFolders> => {
  const fold = folderFold();
  for await (const { manifest, parts } of walkToBase(vault, mailboxKey, snapshotId)) {
    fold.begin(manifest);
    if (fold.isWhole) break;
    for (const part of parts.toReversed()) {
      if (!part.folders) continue;
      for await (const record of readPart(vault, part, "last-to-first")) fold.take(record);
    }
  }
  return fold.result();
};

export const folderRecord = (folder: SnapshotFolder): FolderRecord => ({
  v: 1,
  op: "folder",
  ...SnapshotFolder.parse(folder),
});

/** The record of a folder that is not backed up. */
export const otherFolderRecord = (folder: FolderFacts): FolderRecord => ({
  v: 1,
  op: "folder",
  ...FolderFacts.parse(folder),
  outside: true,
});
