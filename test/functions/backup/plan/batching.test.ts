import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CHUNK_ITEMS, intoBatches } from "../../../../functions/backup/plan/batching.ts";
import type { ItemFacts } from "../../../../shared/vault/records.ts";
import { aPut } from "../../../shared/vault/samples.ts";

const MEBIBYTE = 1024 * 1024;
const MAX_BYTES = 24 * MEBIBYTE;

const someItem = (n: number, sizeBytes: number): ItemFacts => aPut({ id: `item-${n}`, sizeBytes });

const announced = (batch: readonly ItemFacts[]): number =>
  batch.reduce((sum, { sizeBytes }) => sum + (sizeBytes ?? 0), 0);

describe("intoBatches", () => {
  test("keeps every item, in order, in batches that Graph takes", () => {
    const sizes = fc.array(fc.oneof(fc.nat(100_000), fc.integer({ min: 0, max: 60 * MEBIBYTE })), { maxLength: 300 });
    fc.assert(
      fc.property(sizes, (all) => {
        const items = all.map((size, n) => someItem(n, size));

        const batches = intoBatches(items);

        expect(batches.flat()).toEqual(items);
        for (const batch of batches) {
          expect(batch.length).toBeGreaterThan(0);
          expect(batch.length).toBeLessThanOrEqual(20);
          if (batch.length > 1) expect(announced(batch)).toBeLessThanOrEqual(MAX_BYTES);
        }
      }),
    );
  });

  test("fills batches: a batch ends only because the next item does not fit", () => {
    const sizes = fc.array(fc.integer({ min: 0, max: 9 * MEBIBYTE }), { maxLength: 100 });
    fc.assert(
      fc.property(sizes, (all) => {
        const batches = intoBatches(all.map((size, n) => someItem(n, size)));

        for (const [n, batch] of batches.slice(0, -1).entries()) {
          const next = batches[n + 1]?.[0]?.sizeBytes ?? 0;
          expect(batch.length === 20 || announced(batch) + next > MAX_BYTES).toBe(true);
        }
      }),
    );
  });

  test("puts an item that is larger than a batch into one of its own", () => {
    const sizes = [1, 150 * MEBIBYTE, 1];

    expect(intoBatches(sizes.map((size, n) => someItem(n, size))).map(({ length }) => length)).toEqual([1, 1, 1]);
  });

  test("never puts two versions of an item into one batch, for which Graph answers once", () => {
    const numbers = fc.array(fc.nat(5), { maxLength: 60 });
    fc.assert(
      fc.property(numbers, (all) => {
        const items = all.map((n) => someItem(n, 1_000));

        const batches = intoBatches(items);

        expect(batches.flat()).toEqual(items);
        for (const batch of batches) expect(new Set(batch.map(({ id }) => id)).size).toBe(batch.length);
      }),
    );
  });

  test("makes 25 batches from a chunk of small items", () => {
    const items = Array.from({ length: CHUNK_ITEMS }, (_, n) => someItem(n, 1_000));

    expect(intoBatches(items)).toHaveLength(25);
  });
});
