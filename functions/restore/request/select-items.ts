import type { Blobs } from "../../../shared/storage/blobs.ts";
import { foldSnapshot } from "../../../shared/vault/fold.ts";
import { itemFilter } from "../../../shared/vault/item-filter.ts";
import type { Manifest } from "../../../shared/vault/manifest.ts";
import type { PutRecord } from "../../../shared/vault/records.ts";
import { removedItems } from "../../../shared/vault/removed-items.ts";
import { itemIds, UnknownItemsError } from "../../id-translation/item-ids.ts";
import type { Selection } from "../restore.contract.ts";
import { selectFolders } from "./select-folders.ts";

/**
 * Whether an item of the snapshot is selected.
 *
 * @throws {UnknownFolderError}
 */
export const selectItems = async (
  vault: Blobs,
  { mailboxKey, id, folders }: Pick<Manifest, "mailboxKey" | "id" | "folders">,
  select: Selection,
): Promise<(item: PutRecord) => boolean> => {
  const places = new Set(selectFolders(folders, select).map(({ id }) => id));
  const passes = await filterOf(vault, { mailboxKey, id }, select);
  return (item) => places.has(item.folderId) && passes(item);
};

const filterOf = async (
  vault: Blobs,
  { mailboxKey, id }: Pick<Manifest, "mailboxKey" | "id">,
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
 * Looks at the catalogue for the items that a selection names, until all are found.
 *
 * @throws {UnknownFolderError}
 * @throws {UnknownItemsError}
 */
export const checkSelection = async (
  vault: Blobs,
  { mailboxKey, id, folders }: Pick<Manifest, "mailboxKey" | "id" | "folders">,
  select: Selection,
): Promise<void> => {
  const places = new Set(selectFolders(folders, select).map(({ id }) => id));
  if (!("items" in select)) return;
  const ids = itemIds(select.items);
  const isNamed = (item: PutRecord): boolean => places.has(item.folderId) && ids.has(item.id);
  for await (const _ of foldSnapshot(vault, mailboxKey, id, isNamed)) if (ids.unmet().length === 0) return;
  throw new UnknownItemsError(ids.unmet());
};
