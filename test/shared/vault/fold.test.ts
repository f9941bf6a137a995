import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { foldSnapshot } from "../../../shared/vault/fold.ts";
import { itemSet } from "../../../shared/vault/item-set.ts";
import type { PartRef } from "../../../shared/vault/manifest.ts";
import { partName } from "../../../shared/vault/names.ts";
import { writePart } from "../../../shared/vault/part-writer.ts";
import type { CatalogueRecord, PutRecord } from "../../../shared/vault/records.ts";
import { writeManifest } from "../../../shared/vault/snapshots.ts";
import { memoryBlobs } from "../storage/memory-blobs.ts";
import { aKey, all, aManifest, aPut, snapshotAt, someFacts } from "./samples.ts";

/** A snapshot as records by part, the base first. */
type History = CatalogueRecord[][][];

const aVault = async (history: History, bases: number[] = [0]) => {
  const blobs = memoryBlobs();
  let parent: { id: string; sha256: string } | null = null;
  for (const [n, parts] of history.entries()) {
    const id = snapshotAt(n);
    const refs: PartRef[] = [];
    for (const [p, records] of parts.entries()) {
      const ref = await writePart(blobs, partName(aKey, id, `p${p}`), records);
      if (ref !== "exists") refs.push(ref);
    }
    const { sha256 } = await writeManifest(blobs, aManifest({ id, parent, base: bases.includes(n), parts: refs }));
    parent = { id, sha256 };
  }
  return blobs;
};

/** The plain meaning of a history: apply every record, oldest first. */
const applied = (records: CatalogueRecord[]): PutRecord[] => {
  const live = new Map<string, PutRecord>();
  for (const record of records) {
    if (record.op === "put") live.set(JSON.stringify([record.folderId, record.id]), record);
    if (record.op === "remove") live.delete(JSON.stringify([record.folderId, record.id]));
    if (record.op === "folder" && "removed" in record)
      for (const [key, put] of live) if (put.folderId === record.id) live.delete(key);
  }
  return [...live.values()];
};

const byPlace = (puts: PutRecord[]): PutRecord[] =>
  puts.toSorted((a, b) => (a.folderId + a.id < b.folderId + b.id ? -1 : 1));

const v = fc.constant(1 as const);
const id = fc.constantFrom("a", "b", "c", "A");
const folderId = fc.constantFrom("inbox", "sent");
const aRecord: fc.Arbitrary<CatalogueRecord> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ id, folderId, changeKey: fc.uuid() }).map(aPut) },
  {
    weight: 2,
    arbitrary: fc.record({ v, op: fc.constant("remove" as const), id, folderId, reason: fc.constant("deleted") }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ v, op: fc.constant("folder" as const), id: folderId, removed: fc.constant(true as const) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ v, op: fc.constant("folder" as const), id: folderId, displayName: id, path: id, type: id }),
  },
  { weight: 1, arbitrary: fc.record({ v, op: fc.constant("skip" as const), id, folderId, reason: id, code: id }) },
  {
    weight: 1,
    arbitrary: fc
      .record({ id, folderId })
      .map((item) => ({ v: 1, op: "fail", ...someFacts(item), reason: "unknown-error", code: "ErrorOdd" })),
  },
) as fc.Arbitrary<CatalogueRecord>;

const aHistory: fc.Arbitrary<History> = fc.array(fc.array(fc.array(aRecord, { maxLength: 6 }), { maxLength: 3 }), {
  minLength: 1,
  maxLength: 5,
});

describe("a folded snapshot", () => {
  test("is the result of applying every record in order, at each snapshot", async () => {
    await fc.assert(
      fc.asyncProperty(aHistory, async (history) => {
        const blobs = await aVault(history);
        for (const n of history.keys()) {
          const folded = await all(foldSnapshot(blobs, aKey, snapshotAt(n)));
          expect(byPlace(folded)).toEqual(byPlace(applied(history.slice(0, n + 1).flat(2))));
        }
      }),
      { numRuns: 60 },
    );
  });

  test("needs no snapshot older than the newest base", async () => {
    const blobs = await aVault([[[aPut({ id: "old" })]], [[aPut({ id: "base" })]], [[aPut({ id: "new" })]]], [0, 1]);
    for (const name of [...blobs.blobs.keys()]) if (name.includes(snapshotAt(0))) await blobs.remove(name);

    const folded = await all(foldSnapshot(blobs, aKey, snapshotAt(2)));
    expect(folded.map((put) => put.id)).toEqual(["new", "base"]);
  });

  test("filters live items, and does not fall back to an older version that would pass", async () => {
    const blobs = await aVault([[[aPut({ subject: "draft" })]], [[aPut({ subject: "final" })]]]);

    const drafts = foldSnapshot(blobs, aKey, snapshotAt(1), ({ subject }) => subject === "draft");
    expect(await all(drafts)).toEqual([]);
  });
});

describe("an item set", () => {
  test("remembers every item, and no other, as it grows", () => {
    const seen = itemSet();
    const items = Array.from({ length: 20_000 }, (_, n) => ({ folderId: `f${n % 7}`, id: `${n}` }));

    expect(items.every((item) => seen.add(item))).toBe(true);
    expect(items.some((item) => seen.add(item))).toBe(false);
    expect(seen.size).toBe(items.length);
  });

  test("does not confuse where a folder's id ends and an item's begins", () => {
    const seen = itemSet();
    expect(seen.add({ folderId: "ab", id: "c" })).toBe(true);
    expect(seen.add({ folderId: "a", id: "bc" })).toBe(true);
  });
});
