import { itemSet } from "./item-set.ts";
import type { CatalogueRecord, PutRecord } from "./records.ts";

/**
 * Tells which records are live, when it is shown all records of a snapshot and its ancestors, newest first.
 *
 * The first record met of an item decides: `put` is live, `remove` or a removed folder after it is not; `skip` and `fail`
 * decide nothing, which leaves the older version live. Costs at most 16 bytes for each item met.
 */
export const liveness = (): ((record: CatalogueRecord) => record is PutRecord) => {
  const seen = itemSet();
  const removedFolders = new Set<string>();

  return (record): record is PutRecord => {
    if (record.op === "folder" && "removed" in record) removedFolders.add(record.id);
    if (record.op === "remove") seen.add(record);
    return record.op === "put" && !removedFolders.has(record.folderId) && seen.add(record);
  };
};
