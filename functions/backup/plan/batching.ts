import { BATCH_ANNOUNCED_BYTES, CHUNK_BATCHES, EXPORT_ITEMS_LIMIT } from "../../../shared/contracts/limits.ts";
import type { PlannedItem } from "../run-state.ts";

/** Most items in a chunk. */
export const CHUNK_ITEMS = CHUNK_BATCHES * EXPORT_ITEMS_LIMIT;

/**
 * Groups items, in order, into batches of at most 20 items and 24 MiB announced; a larger item is its own batch. Two
 * versions of an item are in two batches: Graph answers for an item once per request, and each version has a record.
 */
export const intoBatches = (items: readonly PlannedItem[]): PlannedItem[][] => {
  const batches: PlannedItem[][] = [];
  let announced = 0;
  for (const item of items) {
    const last = batches.at(-1);
    announced += item.sizeBytes ?? 0;
    const isFull = last === undefined || last.length >= EXPORT_ITEMS_LIMIT || announced > BATCH_ANNOUNCED_BYTES;
    if (!isFull && !last.some(({ id }) => id === item.id)) last.push(item);
    else {
      batches.push([item]);
      announced = item.sizeBytes ?? 0;
    }
  }
  return batches;
};
