import type { MailboxKey, SnapshotId } from "../../../shared/contracts/ids.ts";
import type { Blobs } from "../../../shared/storage/blobs.ts";
import { findFolder } from "../../../shared/vault/find-folder.ts";
import { foldSnapshot } from "../../../shared/vault/fold.ts";
import { itemFilter } from "../../../shared/vault/item-filter.ts";
import type { PutRecord, SnapshotFolder } from "../../../shared/vault/records.ts";
import { removedItems } from "../../../shared/vault/removed-items.ts";
import { itemIds, UnknownItemsError } from "../../id-translation/item-ids.ts";
import type { Selection } from "../restore.contract.ts";

/** A snapshot with its folders. */
export interface FoldedSnapshot {
  readonly mailboxKey: MailboxKey;
  readonly id: SnapshotId;
  readonly folders: readonly SnapshotFolder[];
}

/** A selection names a folder that the snapshot does not have. */
export class UnknownFolderError extends Error {
  override readonly name = "UnknownFolderError";
  readonly folder: string;

  constructor(folder: string) {
    super("The snapshot has no folder of that id, path or well-known name");
    this.folder = folder;
  }
}

/**
 * The snapshot's folders that a selection takes items from, parents before children: those that it names by id, path or
 * well-known name, with the folders below them unless `children` is false. All folders when it names none.
 *
 * @throws {UnknownFolderError}
 */
export const selectFolders = (folders: readonly SnapshotFolder[], select: Selection): SnapshotFolder[] => {
  if ("folders" in select) return chosenFolders(folders, select.folders, select.children ?? true);
  const only = "query" in select ? select.query.folder : undefined;
  return only === undefined ? inTreeOrder(folders) : [named(folders, only)];
};

const chosenFolders = (
  folders: readonly SnapshotFolder[],
  names: readonly string[],
  children: boolean,
): SnapshotFolder[] => {
  const chosen = new Set(names.map((name) => named(folders, name).id));
  return inTreeOrder(folders).filter(({ id, parentId }) => {
    if (children && parentId !== undefined && chosen.has(parentId)) chosen.add(id);
    return chosen.has(id);
  });
};

const named = (folders: readonly SnapshotFolder[], name: string): SnapshotFolder => {
  const folder = findFolder(folders, name);
  if (folder === undefined) throw new UnknownFolderError(name);
  return folder;
};

const depth = ({ path }: SnapshotFolder): number => path.split("/").length;

const inTreeOrder = (folders: readonly SnapshotFolder[]): SnapshotFolder[] =>
  folders.toSorted((a, b) => depth(a) - depth(b));

/**
 * Returns whether an item of the snapshot is selected.
 *
 * @throws {UnknownFolderError}
 */
export const selectItems = async (
  vault: Blobs,
  { mailboxKey, id, folders }: FoldedSnapshot,
  select: Selection,
): Promise<(item: PutRecord) => boolean> => {
  const folderIds = new Set(selectFolders(folders, select).map(({ id }) => id));
  const passes = await filterOf(vault, { mailboxKey, id }, select);
  return (item) => folderIds.has(item.folderId) && passes(item);
};

const filterOf = async (
  vault: Blobs,
  { mailboxKey, id }: Pick<FoldedSnapshot, "mailboxKey" | "id">,
  select: Selection,
): Promise<(item: PutRecord) => boolean> => {
  if ("items" in select) {
    const ids = itemIds(select.items);
    return (item) => ids.has(item.id);
  }
  if (!("query" in select)) return () => true;
  const passes = itemFilter(select.query, undefined);
  const { removedSince } = select.query;
  if (removedSince === undefined) return passes;
  const removed = await removedItems(vault, mailboxKey, id, removedSince);
  return (item) => passes(item) && removed.has(item);
};

/**
 * Checks that the snapshot has the folders and items that a selection names. Reads the catalogue until all are found.
 *
 * @throws {UnknownFolderError}
 * @throws {UnknownItemsError}
 */
export const checkSelection = async (
  vault: Blobs,
  { mailboxKey, id, folders }: FoldedSnapshot,
  select: Selection,
): Promise<void> => {
  const folderIds = new Set(selectFolders(folders, select).map(({ id }) => id));
  if (!("items" in select)) return;
  const ids = itemIds(select.items);
  const isNamed = (item: PutRecord): boolean => folderIds.has(item.folderId) && ids.has(item.id);
  for await (const _ of foldSnapshot(vault, mailboxKey, id, isNamed)) if (ids.unmatched().length === 0) return;
  throw new UnknownItemsError(ids.unmatched());
};
