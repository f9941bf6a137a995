import { createHash } from "node:crypto";
import type { ItemFacts, PutRecord } from "../../../shared/vault/records.ts";

/** A live item as an import over it needs it. */
export interface LiveCopy {
  readonly id: string;
  readonly changeKey: string;
}

/** The live items of target folders, to be matched with items of a snapshot, one for one. */
export interface LiveCopies {
  add(place: string, live: ItemFacts): void;
  /** Takes a live copy of an item away, if there is one: the very item rather than another. */
  take(item: PutRecord): LiveCopy | undefined;
}

/** A copy whose id nobody wants to know. */
const NAMELESS: LiveCopy = { id: "", changeKey: "" };

/**
 * Matches by place and search key, which copies of an item share (MS-OXCPRPT 2.2.1.9); where either side has none, by
 * place, internet message id and time of receipt. What counts is how many copies there are, never whether there is one.
 * `placeOf` says where the items of a folder of the snapshot go.
 *
 * Costs about 200 bytes for each live item; with `keyless`, which says that some item to be matched has no search key,
 * twice that; and with `ids` what its id and change key take beside.
 */
export const liveCopies = ({
  ids,
  keyless,
  placeOf,
}: {
  readonly ids: boolean;
  readonly keyless: boolean;
  readonly placeOf: (folderId: string) => string;
}): LiveCopies => {
  const copies: (LiveCopy | undefined)[] = [];
  const bySearchKey = chains();
  const keyedByLetter = chains();
  const keylessByLetter = chains();

  return {
    add: (place, { id, changeKey, searchKey, ...live }) => {
      const copy = copies.push(ids ? { id, changeKey } : NAMELESS) - 1;
      bySearchKey.add(nameOf(place, searchKey), copy);
      if (searchKey === undefined) keylessByLetter.add(letterOf(place, live), copy);
      else if (keyless) keyedByLetter.add(letterOf(place, live), copy);
    },

    take: (item) => {
      const place = placeOf(item.folderId);
      const letter = letterOf(place, item);
      const byKey = bySearchKey.of(nameOf(place, item.searchKey));
      const byLetter = item.searchKey === undefined ? keyedByLetter.of(letter) : [];
      const there = [...byKey, ...keylessByLetter.of(letter), ...byLetter].filter((copy) => copies[copy] !== undefined);
      const best = there.find((copy) => copies[copy]?.id === item.id) ?? there[0];
      if (best === undefined) return undefined;
      const taken = copies[best];
      copies[best] = undefined;
      return taken;
    },
  };
};

const letterOf = (
  place: string,
  { internetMessageId, received }: Pick<ItemFacts, "internetMessageId" | "received">,
): string | undefined =>
  internetMessageId && received ? nameOf(place, `${Date.parse(received)}\n${internetMessageId}`) : undefined;

/** A short name, so that it costs the same whatever it stands for: 72 bits, which no two of a million items share. */
const nameOf = (place: string, key: string | undefined): string | undefined =>
  key === undefined ? undefined : createHash("sha256").update(`${place}\n${key}`).digest().toString("latin1", 0, 9);

/** Numbers by name, the last one first: one map entry a name, and one link a number. */
const chains = () => {
  const lasts = new Map<string, number>();
  const links = new Map<number, number>();
  return {
    add: (name: string | undefined, number: number): void => {
      if (name === undefined) return;
      const last = lasts.get(name);
      if (last !== undefined) links.set(number, last);
      lasts.set(name, number);
    },
    of: function* (name: string | undefined): Generator<number> {
      let number = name === undefined ? undefined : lasts.get(name);
      for (; number !== undefined; number = links.get(number)) yield number;
    },
  };
};
