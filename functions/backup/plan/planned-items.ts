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
  /** Notes that the listing shows an item; false when it was listed before. */
  list(id: string): boolean;
  /** Forgets which items were listed and confirmed, for a new listing. Planned versions stay planned. */
  forgetListing(): void;
  /** Notes that a version is planned; false when it was planned before. */
  plan(item: Version): boolean;
  /** Notes, by its short hash, that delta shows an item; false when it was shown before. */
  confirm(short: string): boolean;
  /** Whether delta has shown every item that was listed. */
  readonly allConfirmed: boolean;
  /** Notes that an item was removed. */
  remove(id: string): void;
  /** Notes that delta shows an item; true when the item had been removed before. */
  reappear(id: string): boolean;
}

export const plannedItems = (): PlannedItems => {
  let listed = itemSet();
  let confirmed = itemSet();
  const versions = itemSet();
  const removed = new Set<string>();
  const keyOf = (short: string) => ({ folderId: "", id: short });

  return {
    list: (id) => listed.add(keyOf(shortHash(id))),
    forgetListing: () => {
      listed = itemSet();
      confirmed = itemSet();
    },
    plan: ({ id, changeKey }) => versions.add({ folderId: changeKey, id }),
    confirm: (short) => {
      listed.add(keyOf(short));
      return confirmed.add(keyOf(short));
    },
    get allConfirmed() {
      return confirmed.size === listed.size;
    },
    remove: (id) => {
      removed.add(shortHash(id));
    },
    reappear: (id) => removed.delete(shortHash(id)),
  };
};
