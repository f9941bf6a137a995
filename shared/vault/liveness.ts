import { itemSet } from "./item-set.ts";
import type { CatalogueRecord, PutRecord } from "./records.ts";

/**
 * Returns a function that says whether a record is live. It must be called with all records of a snapshot and its
 * ancestors, newest first.
 *
 * The newest record of an item decides: a `put` is live, unless the folder was removed or left out later; after a
 * `remove`, the item is not live. `skip` and `fail` decide nothing, so that the older version stays live. Takes at most
 * 16 bytes for each item.
 */
export const liveness = (): ((record: CatalogueRecord) => record is PutRecord) => {
  const seen = itemSet();
  const removedFolders = new Set<string>();

  return (record): record is PutRecord => {
    if (record.op === "folder" && ("removed" in record || record.outside)) removedFolders.add(record.id);
    if (record.op === "remove") seen.add(record);
    return record.op === "put" && !removedFolders.has(record.folderId) && seen.add(record);
  };
};
