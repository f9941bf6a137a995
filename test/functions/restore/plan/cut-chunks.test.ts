import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { copyKey } from "../../../../functions/restore/paging/copy-keys.ts";
import { type Entry, keepRun, mergeRuns, type SortedRun } from "../../../../functions/restore/paging/sorted-runs.ts";
import { CHUNK_ITEMS, cutChunks } from "../../../../functions/restore/plan/cut-chunks.ts";
import { matchByCopy } from "../../../../functions/restore/plan/match-copies.ts";
import { RestoreItem } from "../../../../functions/restore/restore-state.ts";
import { itemTime } from "../../../../shared/vault/item-filter.ts";
import type { PutRecord } from "../../../../shared/vault/records.ts";
import { memoryBlobs } from "../../../shared/storage/memory-blobs.ts";
import { aPut } from "../../../shared/vault/samples.ts";

/** Two folders of the snapshot that are one in the target. */
const folderKeyOf = (folderId: string): string => (folderId === "twin" ? "inbox" : folderId);

/** Items by rank, as matching them with nothing leaves them. */
const rankedItems = (items: readonly PutRecord[]): Entry<RestoreItem>[] => {
  const groups = new Map<string, PutRecord[]>();
  for (const item of items) {
    const key = copyKey(folderKeyOf(item.folderId), item);
    groups.set(key, [...(groups.get(key) ?? []), item]);
  }
  return [...groups].flatMap(([key, group]) => {
    const entries = group.map((item, order) => ({ t: "item", order, item }) as const);
    const { items } = matchByCopy(key, entries, { folderKeyOf, liveKeyless: false });
    return items.map(({ rank, item }) => ({ key: rank, value: item }));
  });
};

/** The chunks of some items, made as a plan makes them; each cut begins where the one before stood, in another step. */
const chunksOf = async (
  items: readonly PutRecord[],
  { runItems = 20_000, most = 400 } = {},
): Promise<PutRecord[][]> => {
  const work = memoryBlobs();
  const runs: SortedRun[] = [];
  const ranked = rankedItems(items);
  for (let from = 0; from < ranked.length; from += runItems)
    runs.push(...(await keepRun(work, `run-${from}`, ranked.slice(from, from + runItems))));
  const chunks: PutRecord[][] = [];
  let at: readonly number[] = [];
  for (;;) {
    const merge = await mergeRuns<RestoreItem>(work, runs, RestoreItem, at);
    const keep = async (chunk: number, kept: readonly RestoreItem[]) => {
      chunks[chunk] = [...kept];
    };
    const { done, value } = await cutChunks(merge, { from: chunks.length, most }, keep).next();
    if (done) return chunks;
    at = value.at;
  }
};

const time = (minute: number): string => new Date(Date.UTC(2026, 10, 20) + minute * 60_000).toISOString();
const copyOf = ({ folderId, id, searchKey }: PutRecord): string =>
  `${folderKeyOf(folderId)} ${searchKey === undefined ? `id ${id}` : searchKey}`;

const anItem = fc
  .record({
    folderId: fc.constantFrom("inbox", "twin", "sent"),
    created: fc.nat(500).map(time),
    received: fc.option(fc.nat(500).map(time), { nil: undefined }),
    searchKey: fc.option(fc.nat(60).map(String), { nil: undefined }),
  })
  .map(({ received, searchKey, ...facts }) => ({
    ...facts,
    ...(received && { received }),
    ...(searchKey && { searchKey }),
  }));
const someItems = fc
  .array(anItem, { maxLength: 250 })
  .map((items) => items.map((item, n) => aPut({ id: `${n}`, ...item })));
const someSizes = fc.record({ runItems: fc.integer({ min: 1, max: 80 }), most: fc.integer({ min: 1, max: 3 }) });

describe("the chunks of a plan", () => {
  test("have every item once, newest first, with copies for one folder together, for any size of runs", async () => {
    await fc.assert(
      fc.asyncProperty(someItems, someSizes, async (items, sizes) => {
        const chunks = await chunksOf(items, sizes);
        const found = chunks.flat();
        expect(found.map(({ id }) => id).toSorted()).toEqual(items.map(({ id }) => id).toSorted());

        const newest = new Map<string, number>();
        for (const item of items)
          newest.set(
            copyOf(item),
            Math.max(newest.get(copyOf(item)) ?? Number.NEGATIVE_INFINITY, Date.parse(itemTime(item) ?? "")),
          );
        const times = found.map((item) => newest.get(copyOf(item)) ?? 0);
        expect(times).toEqual(times.toSorted((a, b) => b - a));

        const chunksByCopy = new Map<string, Set<number>>();
        for (const [n, chunk] of chunks.entries())
          for (const item of chunk)
            chunksByCopy.set(copyOf(item), (chunksByCopy.get(copyOf(item)) ?? new Set()).add(n));
        for (const chunks of chunksByCopy.values()) expect(chunks.size).toBe(1);
      }),
      { numRuns: 60 },
    );
  });

  test("have fifty items, or fewer to keep copies together", async () => {
    const lone = Array.from({ length: 49 }, (_, n) => aPut({ id: `${n}`, created: time(1_000 - n) }));
    const twins = ["a", "b"].map((id) => aPut({ id, searchKey: "k", created: time(0) }));

    expect((await chunksOf([...twins, ...lone])).map(({ length }) => length)).toEqual([49, 2]);
    const others = lone.map((item) => ({ ...item, id: `other ${item.id}` }));
    expect(await chunksOf([...lone, ...others])).toHaveLength(2);
  });

  test("are larger only for an item with more copies than fit", async () => {
    const copies = Array.from({ length: CHUNK_ITEMS + 7 }, (_, n) => aPut({ id: `${n}`, searchKey: "k" }));

    expect((await chunksOf(copies)).map(({ length }) => length)).toEqual([CHUNK_ITEMS + 7]);
  });
});
