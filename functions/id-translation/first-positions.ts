import { createHash } from "node:crypto";
import { hashTable, hashWords } from "../../shared/hash-table.ts";

/** The first position of each of many ids. */
export interface FirstPositions {
  /** Adds an id with its position; returns the first position of the id when it was added before. */
  add(id: string, position: number): number | undefined;
}

const KEY_WORDS = 3;

/**
 * Holds 20 to 30 bytes for each id (and the former table while it grows): 96 bits of its SHA-256 in place of the id.
 * The probability that any two of a million ids collide is 1 in 10^17.
 */
export const firstPositions = (): FirstPositions => {
  const table = hashTable({ keyWords: KEY_WORDS, valueWords: 1 });
  return {
    add: (id, position) =>
      table.add([...hashWords(createHash("sha256").update(id).digest(), KEY_WORDS), position])?.[KEY_WORDS],
  };
};
