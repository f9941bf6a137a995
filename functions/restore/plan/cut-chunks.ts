import type { RestoreItem } from "../restore-state.ts";
import type { RankedItem } from "./sorted-items.ts";

/** Items in a chunk. Each chunk has a ledger. */
export const CHUNK_ITEMS = 50;

/**
 * Cuts sorted items into chunks. Copies of one item share a chunk, so that no two lanes import copies at the same time
 * and take one for the other. A chunk is larger only when one item has more copies than fit.
 */
export async function* cutChunks(items: AsyncIterable<RankedItem>): AsyncGenerator<RestoreItem[]> {
  let chunk: RestoreItem[] = [];
  for await (const copies of groupCopies(items)) {
    if (chunk.length > 0 && chunk.length + copies.length > CHUNK_ITEMS) {
      yield chunk;
      chunk = [];
    }
    chunk.push(...copies);
  }
  if (chunk.length > 0) yield chunk;
}

async function* groupCopies(items: AsyncIterable<RankedItem>): AsyncGenerator<RestoreItem[]> {
  let group: RestoreItem[] = [];
  let groupHash: number | undefined;
  for await (const { copyHash, item } of items) {
    if (group.length > 0 && copyHash !== groupHash) {
      yield group;
      group = [];
    }
    groupHash = copyHash;
    group.push(item);
  }
  if (group.length > 0) yield group;
}
