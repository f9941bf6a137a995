import { BATCH_ANNOUNCED_BYTES, CHUNK_BATCHES, EXPORT_ITEMS_LIMIT } from "../../../shared/contracts/limits.ts";
import type { ItemFacts } from "../../../shared/vault/records.ts";

/** Most items in a chunk. */
export const CHUNK_ITEMS = CHUNK_BATCHES * EXPORT_ITEMS_LIMIT;

/** Groups items, in order, into batches of at most 20 items and 24 MiB announced; a larger item is its own batch. */
export const intoBatches = (items: readonly ItemFacts[]): ItemFacts[][] => {
  const batches: ItemFacts[][] = [];
  let announced = 0;
  for (const item of items) {
    const last = batches.at(-1);
    announced += item.sizeBytes;
    if (last !== undefined && last.length < EXPORT_ITEMS_LIMIT && announced <= BATCH_ANNOUNCED_BYTES) last.push(item);
    else {
      batches.push([item]);
      announced = item.sizeBytes;
    }
  }
  return batches;
};
