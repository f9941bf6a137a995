import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { copyTimes } from "../../../../functions/restore/plan/copy-times.ts";
import { CHUNK_ITEMS, cutChunks } from "../../../../functions/restore/plan/cut-chunks.ts";
import { sortedItems } from "../../../../functions/restore/plan/sorted-items.ts";
import { itemTime } from "../../../../shared/vault/item-filter.ts";
import type { PutRecord } from "../../../../shared/vault/records.ts";
import { memoryBlobs } from "../../../shared/storage/memory-blobs.ts";
import { all, aPut } from "../../../shared/vault/samples.ts";
import { aRestoreId } from "../../kit.ts";

/** Two folders of the snapshot that are one in the target. */
const targetKeyOf = (folderId: string): string => (folderId === "twin" ? "inbox" : folderId);

/** The chunks of some items, made as a plan makes them. */
const chunksOf = async (items: readonly PutRecord[], sizes?: { runItems: number; pageItems: number }) => {
  const work = memoryBlobs();
  const times = copyTimes(targetKeyOf);
  for (const item of items) times.add(item);
  const sorted = sortedItems({ work, restoreId: aRestoreId, generation: "one" }, times.ranks(), sizes);
  for (const item of items) await sorted.add(item);
  return { work, chunks: await all(cutChunks(sorted.all())) };
};

const time = (minute: number): string => new Date(Date.UTC(2026, 10, 20) + minute * 60_000).toISOString();
const copyOf = ({ folderId, id, searchKey }: PutRecord): string =>
  `${targetKeyOf(folderId)} ${searchKey === undefined ? `id ${id}` : searchKey}`;

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
const someSizes = fc.record({ runItems: fc.integer({ min: 1, max: 80 }), pageItems: fc.integer({ min: 1, max: 20 }) });

describe("the chunks of a plan", () => {
  test("have every item once, newest first, with copies for one folder together, for any size of runs", async () => {
    await fc.assert(
      fc.asyncProperty(someItems, someSizes, async (items, sizes) => {
        const { chunks } = await chunksOf(items, sizes);
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

    expect((await chunksOf([...twins, ...lone])).chunks.map(({ length }) => length)).toEqual([49, 2]);
    expect((await chunksOf([...lone, ...lone])).chunks).toHaveLength(2);
  });

  test("are larger only for an item with more copies than fit", async () => {
    const copies = Array.from({ length: CHUNK_ITEMS + 7 }, (_, n) => aPut({ id: `${n}`, searchKey: "k" }));

    expect((await chunksOf(copies)).chunks.map(({ length }) => length)).toEqual([CHUNK_ITEMS + 7]);
  });

  test("are sorted in memory when they fit, and write nothing", async () => {
    const { work } = await chunksOf([aPut({ id: "one" }), aPut({ id: "two" })]);

    expect(work.blobs.size).toBe(0);
  });
});
