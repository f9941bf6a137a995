import { createHash } from "node:crypto";

export interface ItemSet {
  /** False when the item was in the set already. */
  add(item: { folderId: string; id: string }): boolean;
  has(item: { folderId: string; id: string }): boolean;
  readonly size: number;
}

const FIRST_SLOTS = 1_024;
const MAX_LOAD = 0.8;
const GROWTH = 1.5;

/**
 * A set of items that costs 10 to 15 bytes each (and its former table while it grows): the first 64 bits of a SHA-256
 * in an open-addressing table. That any two of ten million items fall together has a probability of 3 in a million.
 */
export function itemSet(): ItemSet {
  let slots = FIRST_SLOTS;
  let table = new Uint32Array(2 * slots);
  let size = 0;

  /** Where the hash is, or the empty slot where it would go. */
  const find = (high: number, low: number): { slot: number; found: boolean } => {
    for (let slot = low % slots; ; slot = (slot + 1) % slots) {
      const [a, b] = [table[2 * slot], table[2 * slot + 1]];
      if (a === high && b === low) return { slot, found: true };
      if (a === 0 && b === 0) return { slot, found: false };
    }
  };

  const insert = (high: number, low: number): boolean => {
    const { slot, found } = find(high, low);
    if (found) return false;
    table[2 * slot] = high;
    table[2 * slot + 1] = low;
    return true;
  };

  const grow = (): void => {
    const old = table;
    slots = Math.ceil(slots * GROWTH);
    table = new Uint32Array(2 * slots);
    for (let at = 0; at < old.length; at += 2) {
      const [high = 0, low = 0] = [old[at], old[at + 1]];
      if (high !== 0 || low !== 0) insert(high, low);
    }
  };

  return {
    get size() {
      return size;
    },

    add: ({ folderId, id }) => {
      if (size >= slots * MAX_LOAD) grow();
      const added = insert(...hashOf(folderId, id));
      if (added) size += 1;
      return added;
    },

    has: ({ folderId, id }) => find(...hashOf(folderId, id)).found,
  };
}

/** An empty slot is two zeros, so no item may hash to them. */
const hashOf = (folderId: string, id: string): [high: number, low: number] => {
  const hash = createHash("sha256").update(`${folderId.length}:${folderId}${id}`).digest();
  return [hash.readUInt32LE(0) || 1, hash.readUInt32LE(4)];
};
