import type { RestoreItem } from "../restore-state.ts";
import type { RankedItem } from "./sorted-items.ts";

/** Items in a chunk: what one ledger covers, and what a lane holds at a time. */
export const CHUNK_ITEMS = 50;

/**
 * Cuts sorted items into chunks. Copies of one item share a chunk, so that no two lanes import copies at the same moment
 * and take one for the other; a chunk is larger than others only where one item has more copies than fit.
 */
export async function* cutChunks(items: AsyncIterable<RankedItem>): AsyncGenerator<RestoreItem[]> {
  let chunk: RestoreItem[] = [];
  for await (const copies of copiesTogether(items)) {
    if (chunk.length > 0 && chunk.length + copies.length > CHUNK_ITEMS) {
      yield chunk;
      chunk = [];
    }
    chunk.push(...copies);
  }
  if (chunk.length > 0) yield chunk;
}

async function* copiesTogether(items: AsyncIterable<RankedItem>): AsyncGenerator<RestoreItem[]> {
  let together: RestoreItem[] = [];
  let mark: number | undefined;
  for await (const { copies, item } of items) {
    if (together.length > 0 && copies !== mark) {
      yield together;
      together = [];
    }
    mark = copies;
    together.push(item);
  }
  if (together.length > 0) yield together;
}
