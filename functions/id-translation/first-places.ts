import { createHash } from "node:crypto";
import { hashTable, hashWords } from "../../shared/hash-table.ts";

/** Where each of a great many ids was seen first. */
export interface FirstPlaces {
  /** Notes an id at a position; returns the position of the same id if that was seen before. */
  see(id: string, position: number): number | undefined;
}

const KEY_WORDS = 3;

/**
 * Holds 20 to 30 bytes an id (and the former table while it grows), not the id: 96 bits of its SHA-256. That any two of a
 * million ids fall together has a probability of 1 in 10^17.
 */
export const firstPlaces = (): FirstPlaces => {
  const table = hashTable({ keyWords: KEY_WORDS, valueWords: 1 });
  return {
    see: (id, position) =>
      table.add([...hashWords(createHash("sha256").update(id).digest(), KEY_WORDS), position])?.[KEY_WORDS],
  };
};
