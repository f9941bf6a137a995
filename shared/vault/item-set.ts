import { createHash } from "node:crypto";
import { hashTable, hashWords } from "../hash-table.ts";

export interface ItemSet {
  /** False when the item was in the set already. */
  add(item: { folderId: string; id: string }): boolean;
  has(item: { folderId: string; id: string }): boolean;
  readonly size: number;
}

const KEY_WORDS = 2;

/**
 * A set of items at 10 to 15 bytes each (and the old table while it grows): it holds the first 64 bits of a SHA-256.
 * The probability that any two of ten million items collide is 3 in a million.
 */
export const itemSet = (): ItemSet => {
  const table = hashTable({ keyWords: KEY_WORDS });
  return {
    get size() {
      return table.size;
    },
    add: (item) => table.add(keyOf(item)) === undefined,
    has: (item) => table.has(keyOf(item)),
  };
};

const keyOf = ({ folderId, id }: { folderId: string; id: string }): number[] =>
  hashWords(createHash("sha256").update(`${folderId.length}:${folderId}${id}`).digest(), KEY_WORDS);
