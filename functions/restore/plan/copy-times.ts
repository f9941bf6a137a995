import { createHash } from "node:crypto";
import { itemTime } from "../../../shared/vault/item-filter.ts";
import type { PutRecord } from "../../../shared/vault/records.ts";

/** Where an item stands in the order of a restore: `time` says when, `copies` keeps copies of one item together. */
export interface Rank {
  readonly time: number;
  readonly copies: number;
}

/** Newest first; of one moment, copies of one item side by side. */
export const byRank = (a: Rank, b: Rank): number => b.time - a.time || a.copies - b.copies;

/** Ranks items of which all have been shown before: copies in one place rank as the newest of them. */
export interface CopyTimes {
  add(item: PutRecord): void;
  /** To be asked when all are added. */
  ranks(): (item: PutRecord) => Rank;
}

/**
 * Copies are of one search key and bound for one place, which `placeOf` names for a folder of the snapshot. Costs 16 bytes
 * an item, 4 more while it sorts, and a map entry for each item that has copies.
 */
export const copyTimes = (placeOf: (folderId: string) => string): CopyTimes => {
  const markOf = (item: PutRecord): number => markIn(placeOf(item.folderId), item);
  const marks: number[] = [];
  const times: number[] = [];
  return {
    add: (item) => {
      marks.push(markOf(item));
      times.push(itemTime(item));
    },
    ranks: () => {
      const newest = newestOfCopies(marks, times);
      return (item) => {
        const copies = markOf(item);
        return { time: newest.get(copies) ?? itemTime(item), copies };
      };
    },
  };
};

const newestOfCopies = (marks: readonly number[], times: readonly number[]): Map<number, number> => {
  const order = Uint32Array.from(marks.keys()).sort((a, b) => (marks[a] ?? 0) - (marks[b] ?? 0));
  const newest = new Map<number, number>();
  for (let n = 1; n < order.length; n += 1) {
    const [one = 0, other = 0] = [order[n - 1], order[n]];
    const mark = marks[other] ?? 0;
    if (marks[one] !== mark) continue;
    newest.set(mark, Math.max(newest.get(mark) ?? Number.NEGATIVE_INFINITY, times[one] ?? 0, times[other] ?? 0));
  }
  return newest;
};

/**
 * The same number for copies of an item in one place: 48 bits of a hash of their search key. Other items may share it now
 * and then, and are then kept together too, which does no harm.
 */
const markIn = (place: string, { id, searchKey }: PutRecord): number =>
  createHash("sha256")
    .update(searchKey === undefined ? `${place}\n\n${id}` : `${place}\n${searchKey}`)
    .digest()
    .readUIntBE(0, 6);
