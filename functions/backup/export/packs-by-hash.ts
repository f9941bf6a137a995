import { hashTable, hashWords } from "../../../shared/hash-table.ts";
import type { PackName } from "../../../shared/vault/names.ts";

/** In which packs the bytes of items lie. Of a SHA-256, its first 8 digits are enough. */
export interface PacksByHash {
  /** Where several packs have the same bytes, the one that was added first counts. */
  add(pack: PackName, sha256: string): void;
  /** A pack that may hold these bytes: its index tells. */
  packOf(sha256: string): PackName | undefined;
}

/**
 * Takes 10 to 15 bytes for each item, and the name of each pack. Of two hashes that begin alike it holds one, so one
 * item in thousands is not found.
 */
export const packsByHash = (): PacksByHash => {
  const table = hashTable({ keyWords: 1, valueWords: 1 });
  const packs: PackName[] = [];
  return {
    add: (pack, sha256) => {
      if (packs.at(-1) !== pack) packs.push(pack);
      table.add([...keyOf(sha256), packs.length - 1]);
    },
    packOf: (sha256) => packs[table.get(keyOf(sha256))?.[1] ?? -1],
  };
};

const keyOf = (sha256: string): number[] => hashWords(Buffer.from(sha256.slice(0, 8), "hex"), 1);
