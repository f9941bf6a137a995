import { createHash } from "node:crypto";
import type { ItemFacts, PutRecord } from "../../../shared/vault/records.ts";

/** A live item, with what an import needs to replace it. */
export interface LiveCopy {
  readonly id: string;
  readonly changeKey: string;
}

/** The live items of target folders. Each is matched with one item of a snapshot at most. */
export interface LiveCopies {
  add(targetKey: string, live: ItemFacts): void;
  /** Removes and returns a live copy of an item, if there is one. Prefers the item with the same id. */
  take(item: PutRecord): LiveCopy | undefined;
}

/** Stands for each copy when ids are not needed. */
const WITHOUT_ID: LiveCopy = { id: "", changeKey: "" };

/**
 * Matches by target folder and search key, which copies of an item share (MS-OXCPRPT 2.2.1.9). When either side has no
 * search key, matches by target folder, internet message id and time of receipt. Copies are counted: two live copies
 * match two items. `targetKeyOf` returns the key of the target folder for a folder of the snapshot.
 *
 * Costs about 200 bytes for each live item. `keyless` says that some item to match has no search key: that costs as
 * much again. `ids` keeps the id and change key of each item as well.
 */
export const liveCopies = ({
  ids,
  keyless,
  targetKeyOf,
}: {
  readonly ids: boolean;
  readonly keyless: boolean;
  readonly targetKeyOf: (folderId: string) => string;
}): LiveCopies => {
  const copies: (LiveCopy | undefined)[] = [];
  const bySearchKey = multiMap();
  const byMessageKeyed = multiMap();
  const byMessageKeyless = multiMap();

  return {
    add: (targetKey, { id, changeKey, searchKey, ...live }) => {
      const copy = copies.push(ids ? { id, changeKey } : WITHOUT_ID) - 1;
      bySearchKey.add(hashOf(targetKey, searchKey), copy);
      if (searchKey === undefined) byMessageKeyless.add(messageKey(targetKey, live), copy);
      else if (keyless) byMessageKeyed.add(messageKey(targetKey, live), copy);
    },

    take: (item) => {
      const targetKey = targetKeyOf(item.folderId);
      const message = messageKey(targetKey, item);
      const candidates = [
        ...bySearchKey.get(hashOf(targetKey, item.searchKey)),
        ...byMessageKeyless.get(message),
        ...(item.searchKey === undefined ? byMessageKeyed.get(message) : []),
      ].filter((copy) => copies[copy] !== undefined);
      const best = candidates.find((copy) => copies[copy]?.id === item.id) ?? candidates[0];
      if (best === undefined) return undefined;
      const taken = copies[best];
      copies[best] = undefined;
      return taken;
    },
  };
};

const messageKey = (
  targetKey: string,
  { internetMessageId, received }: Pick<ItemFacts, "internetMessageId" | "received">,
): string | undefined =>
  internetMessageId && received ? hashOf(targetKey, `${Date.parse(received)}\n${internetMessageId}`) : undefined;

/** A hash of 72 bits, so that every key takes the same memory; no two of a million items share one. */
const hashOf = (targetKey: string, key: string | undefined): string | undefined =>
  key === undefined ? undefined : createHash("sha256").update(`${targetKey}\n${key}`).digest().toString("latin1", 0, 9);

/** Numbers by key, the last added first. Costs one map entry for each key, and one for each further number. */
const multiMap = () => {
  const lasts = new Map<string, number>();
  const links = new Map<number, number>();
  return {
    add: (key: string | undefined, number: number): void => {
      if (key === undefined) return;
      const last = lasts.get(key);
      if (last !== undefined) links.set(number, last);
      lasts.set(key, number);
    },
    get: function* (key: string | undefined): Generator<number> {
      let number = key === undefined ? undefined : lasts.get(key);
      for (; number !== undefined; number = links.get(number)) yield number;
    },
  };
};
