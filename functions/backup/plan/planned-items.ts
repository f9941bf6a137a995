import { createHash } from "node:crypto";
import { itemSet } from "../../../shared/vault/item-set.ts";

interface Version {
  readonly id: string;
  readonly changeKey: string;
}

/** 66 bits of a hash: long enough to distinguish the items of a folder, and short enough to hold for each of them. */
export const shortHash = (id: string): string => createHash("sha256").update(id).digest("base64url").slice(0, 11);

/** What planning knows of the items of one folder, in about 45 bytes per item. */
export interface PlannedItems {
  /** Notes that a version is planned; false when it was planned before. */
  plan(item: Version): boolean;
  /** Whether any version of an item was planned. */
  has(id: string): boolean;
  /** Begins a generation: items that an earlier one showed are not seen in it. Planned versions stay planned. */
  begin(): void;
  /** Notes, by its short hash, that the generation shows an item; false when it showed it before. */
  see(short: string): boolean;
  /** Whether the generation has shown an item. */
  saw(short: string): boolean;
  /** Whether the generation has shown every item that is planned. */
  readonly sawAllPlanned: boolean;
  /** Whether nothing is planned, and nothing was removed. */
  readonly isEmpty: boolean;
  /** Notes that an item was removed. */
  remove(id: string): void;
  /** Notes that delta shows an item; true when the item had been removed before. */
  reappear(id: string): boolean;
}

export const plannedItems = (): PlannedItems => {
  const versions = itemSet();
  const planned = itemSet();
  const removed = new Set<string>();
  let seen = itemSet();
  let plannedAndSeen = 0;
  const keyOf = (short: string) => ({ folderId: "", id: short });

  return {
    plan: ({ id, changeKey }) => {
      const key = keyOf(shortHash(id));
      if (planned.add(key) && seen.has(key)) plannedAndSeen += 1;
      return versions.add({ folderId: changeKey, id });
    },
    has: (id) => planned.has(keyOf(shortHash(id))),
    begin: () => {
      seen = itemSet();
      plannedAndSeen = 0;
    },
    see: (short) => {
      const key = keyOf(short);
      const isNew = seen.add(key);
      if (isNew && planned.has(key)) plannedAndSeen += 1;
      return isNew;
    },
    saw: (short) => seen.has(keyOf(short)),
    get sawAllPlanned() {
      return plannedAndSeen === planned.size;
    },
    get isEmpty() {
      return planned.size === 0 && removed.size === 0;
    },
    remove: (id) => {
      removed.add(shortHash(id));
    },
    reappear: (id) => removed.delete(shortHash(id)),
  };
};
