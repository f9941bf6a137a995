import { createHash } from "node:crypto";
import { itemSet } from "../../../shared/vault/item-set.ts";

interface Version {
  readonly id: string;
  readonly changeKey: string;
}

/** 66 bits of a hash: enough to tell the items of one folder apart, and short enough to keep for each of them. */
export const shortHash = (id: string): string => createHash("sha256").update(id).digest("base64url").slice(0, 11);

/** What planning knows of one folder's items, in some 45 bytes an item. */
export interface PlannedItems {
  /** Notes an item that the listing shows; false when it was listed before. */
  list(id: string): boolean;
  /** A listing begins anew: what it shows counts again, but versions that are planned stay so. */
  forgetListing(): void;
  /** Whether this very version is to be planned still; asking notes it as planned. */
  plan(item: Version): boolean;
  /** Notes by its short hash that delta showed an item; false when it had shown it before. */
  confirm(short: string): boolean;
  /** Whether every item that was listed has been shown by delta as well. */
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
