import { mapBounded } from "../../../shared/bounded.ts";
import type { Merge } from "../paging/sorted-runs.ts";
import type { RestoreItem } from "../restore-state.ts";

/** Items in a chunk. Each chunk has a ledger. */
export const CHUNK_ITEMS = 50;

/** Chunks that are kept at the same time. */
const WRITES = 8;

/** How far items are cut: the number of chunks, and where the merge stands after them. */
export interface Cut {
  readonly chunks: number;
  readonly at: readonly number[];
}

/**
 * Cuts sorted items into chunks, and keeps them. Copies of one item share a chunk, so that no two lanes import copies
 * at the same time and take one for the other. A chunk is larger only when one item has more copies than fit.
 *
 * Shows how far it came after `most` chunks, and returns it at the end. Run twice, the same chunks have the same
 * numbers.
 */
export async function* cutChunks(
  items: Merge<RestoreItem>,
  { from, most }: { readonly from: number; readonly most: number },
  keep: (chunk: number, items: readonly RestoreItem[]) => Promise<void>,
): AsyncGenerator<Cut, Cut> {
  let first = from;
  let whole: (readonly RestoreItem[])[] = [];
  let chunk: RestoreItem[] = [];
  const keepAll = async (at: readonly number[]): Promise<Cut> => {
    const base = first;
    await mapBounded([...whole.entries()], WRITES, ([number, each]) => keep(base + number, each));
    first += whole.length;
    whole = [];
    return { chunks: first, at };
  };
  for (;;) {
    const before = items.at();
    const copies = (await items.next())?.values ?? [];
    const isFull = chunk.length > 0 && (copies.length === 0 || chunk.length + copies.length > CHUNK_ITEMS);
    if (isFull) {
      whole.push(chunk);
      chunk = [];
      if (whole.length === most) yield keepAll(before);
    }
    if (copies.length === 0) break;
    chunk.push(...copies);
  }
  return keepAll(items.at());
}
