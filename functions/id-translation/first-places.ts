import { createHash } from "node:crypto";

/** Where each of a great many ids was seen first. */
export interface FirstPlaces {
  /** Notes an id at a position; the position of the same id if that was seen before. */
  see(id: string, position: number): number | undefined;
}

const FIRST_SLOTS = 2_048;
const MAX_LOAD = 0.8;
const GROWTH = 1.5;

/** 96 bits of a hash, and the position plus one. */
const WORDS = 4;

/**
 * Holds 20 to 30 bytes an id (and the former table while it grows), not the id: 96 bits of its SHA-256 in an
 * open-addressing table. That any two of a million ids fall together has a probability of 1 in 10^17.
 */
export const firstPlaces = (): FirstPlaces => {
  let slots = FIRST_SLOTS;
  let table = new Uint32Array(WORDS * slots);
  let size = 0;

  /** The place in the table of a hash, or of the empty slot where it would go. */
  const find = ([a = 0, b = 0, c = 0]: readonly number[]): number => {
    for (let slot = a % slots; ; slot = (slot + 1) % slots) {
      const at = WORDS * slot;
      if (table[at + 3] === 0 || (table[at] === a && table[at + 1] === b && table[at + 2] === c)) return at;
    }
  };

  const grow = (): void => {
    const old = table;
    slots = Math.ceil(slots * GROWTH);
    table = new Uint32Array(WORDS * slots);
    for (let at = 0; at < old.length; at += WORDS) {
      const entry = old.subarray(at, at + WORDS);
      if (entry[3] !== 0) table.set(entry, find([...entry]));
    }
  };

  return {
    see: (id, position) => {
      if (size >= slots * MAX_LOAD) grow();
      const digest = createHash("sha256").update(id).digest();
      const hash = [digest.readUInt32LE(0), digest.readUInt32LE(4), digest.readUInt32LE(8)];
      const at = find(hash);
      const seen = table[at + 3] ?? 0;
      if (seen > 0) return seen - 1;
      table.set([...hash, position + 1], at);
      size += 1;
      return undefined;
    },
  };
};
