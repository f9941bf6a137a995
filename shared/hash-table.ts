/** Entries of 32-bit words; the first words are the key. */
export interface HashTable {
  readonly size: number;
  /** Adds an entry unless its key exists; returns the existing entry. */
  add(entry: readonly number[]): Uint32Array | undefined;
  has(key: readonly number[]): boolean;
  get(key: readonly number[]): Uint32Array | undefined;
}

const FIRST_SLOTS = 1_024;
const MAX_LOAD = 0.8;
const GROWTH = 1.5;

/**
 * An open-addressing table of hashes: it needs a few words for each entry and, while it grows, the former table. The
 * first word of a key must not be 0, which marks an empty slot; {@link hashWords} never returns that.
 */
export const hashTable = ({ keyWords, valueWords = 0 }: { keyWords: number; valueWords?: number }): HashTable => {
  const width = keyWords + valueWords;
  let slots = FIRST_SLOTS;
  let table = new Uint32Array(width * slots);
  let size = 0;

  /** The offset of a key's entry, or of the empty slot for it. */
  const find = (key: ArrayLike<number>): number => {
    for (let slot = (key[0] ?? 0) % slots; ; slot = (slot + 1) % slots) {
      const at = width * slot;
      if (table[at] === 0) return at;
      let same = 0;
      while (same < keyWords && table[at + same] === key[same]) same += 1;
      if (same === keyWords) return at;
    }
  };

  const grow = (): void => {
    const old = table;
    slots = Math.ceil(slots * GROWTH);
    table = new Uint32Array(width * slots);
    for (let at = 0; at < old.length; at += width)
      if (old[at] !== 0) table.set(old.subarray(at, at + width), find(old.subarray(at, at + keyWords)));
  };

  return {
    get size() {
      return size;
    },

    add: (entry) => {
      if (size >= slots * MAX_LOAD) grow();
      const at = find(entry);
      if (table[at] !== 0) return table.subarray(at, at + width);
      table.set(entry, at);
      size += 1;
      return undefined;
    },

    has: (key) => table[find(key)] !== 0,

    get: (key) => {
      const at = find(key);
      return table[at] === 0 ? undefined : table.subarray(at, at + width);
    },
  };
};

/** The first words of a hash as the key of a table. */
export const hashWords = (hash: Buffer, words: number): number[] => {
  const key = [hash.readUInt32LE(0) || 1];
  for (let word = 1; word < words; word += 1) key.push(hash.readUInt32LE(4 * word));
  return key;
};
