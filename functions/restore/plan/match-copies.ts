import { itemTime } from "../../../shared/vault/item-filter.ts";
import type { PutRecord } from "../../../shared/vault/records.ts";
import { messageKey } from "../paging/copy-keys.ts";
import type { CopyEntry, LiveEntry, MessageEntry, ReviewedEntry } from "./plan-state.ts";

/** An item of the snapshot with the live copy that it has in its place, if any. */
export interface MatchedItem {
  readonly item: PutRecord;
  readonly copy: LiveEntry | undefined;
  readonly reviewed: ReviewedEntry | undefined;
  readonly rank: string;
}

type SnapshotItem = Extract<MessageEntry, { t: "item" }>;

/** What is matched, and what is to be matched by its message. */
export interface Matched {
  readonly items: readonly MatchedItem[];
  readonly left: readonly MessageEntry[];
}

/**
 * Matches what shares a key: items with the live copies that share their search key (MS-OXCPRPT 2.2.1.9). Copies are
 * counted: two live copies match two items. A live item of the same id is preferred. What may have a match by its
 * message is left.
 */
export const matchByCopy = (
  key: string,
  group: readonly CopyEntry[],
  {
    folderKeyOf,
    liveKeyless,
  }: { readonly folderKeyOf: (folderId: string) => string /** A live item has none. */; readonly liveKeyless: boolean },
): Matched => {
  const live = distinct(group.filter((entry) => entry.t === "live"));
  const items = inOrder(group.filter((entry) => entry.t === "item"));
  const reviewed = new Map(
    group.filter((entry) => entry.t === "reviewed").map((entry) => [`${entry.folderId}\n${entry.id}`, entry]),
  );
  const rank = rankOf(
    items.reduce((newest, { item }) => Math.max(newest, timeOf(item)), Number.NEGATIVE_INFINITY),
    key,
  );
  const free = new Set(live.filter(({ keyed }) => keyed));
  const copies = take(items, free, ({ item }) => item.searchKey !== undefined);
  const matched: MatchedItem[] = [];
  const left: MessageEntry[] = live.filter((entry) => entry.message !== undefined && (!entry.keyed || free.has(entry)));
  for (const entry of items) {
    const { item } = entry;
    const review = reviewed.get(`${item.folderId}\n${item.id}`);
    const copy = copies.get(entry);
    const mayMatch = item.searchKey === undefined || liveKeyless;
    if (copy === undefined && mayMatch && messageKey(folderKeyOf(item.folderId), item) !== undefined)
      left.push({ ...entry, rank, ...(review && { reviewed: review }) });
    else matched.push({ item, copy, reviewed: review, rank });
  }
  return { items: matched, left };
};

/**
 * Matches what shares internet message id and time of receipt, in one folder, where either side has no search key. Two
 * that have different ones are two messages.
 */
export const matchByMessage = (group: readonly MessageEntry[]): MatchedItem[] => {
  const live = distinct(group.filter((entry) => entry.t === "live"));
  const items = inOrder(group.filter((entry) => entry.t === "item"));
  const keylessFirst = new Set(live.toSorted((a, b) => Number(a.keyed) - Number(b.keyed)));
  const copies = take(items, keylessFirst, ({ item }, { keyed }) => !keyed || item.searchKey === undefined);
  return items.map((entry) => ({
    item: entry.item,
    copy: copies.get(entry),
    reviewed: entry.reviewed,
    rank: entry.rank,
  }));
};

/** Takes a live item for each item that has one: that of the same id, if it is free, else any that fits. */
const take = <T extends Pick<SnapshotItem, "item">>(
  items: readonly T[],
  free: Set<LiveEntry>,
  fits: (entry: T, live: LiveEntry) => boolean,
): ReadonlyMap<T, LiveEntry> => {
  const taken = new Map<T, LiveEntry>();
  const takeFor = (entry: T, live: LiveEntry | undefined): void => {
    if (live === undefined) return;
    taken.set(entry, live);
    free.delete(live);
  };
  const byId = new Map([...free].map((live) => [live.id, live]));
  for (const entry of items) {
    const live = byId.get(entry.item.id);
    if (live !== undefined && free.has(live) && fits(entry, live)) takeFor(entry, live);
  }
  for (const entry of items)
    if (!taken.has(entry))
      takeFor(
        entry,
        firstThat(free, (live) => fits(entry, live)),
      );
  return taken;
};

const firstThat = <T>(values: Iterable<T>, is: (value: T) => boolean): T | undefined => {
  for (const value of values) if (is(value)) return value;
  return undefined;
};

/** A listing shows an item again when others were added meanwhile. It is one copy all the same. */
const distinct = (live: readonly LiveEntry[]): LiveEntry[] => [
  ...new Map(live.map((entry) => [entry.id, entry])).values(),
];

const inOrder = <T extends { readonly order: number }>(items: readonly T[]): T[] =>
  items.toSorted((a, b) => a.order - b.order);

/** In milliseconds. An item without a time is as old as can be. */
const timeOf = (item: PutRecord): number => Date.parse(itemTime(item) ?? "1970-01-01T00:00:00Z");

/** After the last time that a date may have, in milliseconds. */
const END_OF_TIME = Date.UTC(10_000, 0);
const DIGITS = 15;

/**
 * Where an item stands in the order of a restore: newest first, and copies of one item, which rank by the newest of
 * them, side by side.
 */
const rankOf = (time: number, key: string): string => `${String(END_OF_TIME - time).padStart(DIGITS, "0")} ${key}`;
