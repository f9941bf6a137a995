import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { waveParts } from "../../../../functions/backup/export/wave-parts.ts";
import type { BatchId } from "../../../../shared/contracts/lane.ts";
import { readPart } from "../../../../shared/vault/part-reader.ts";
import { MAX_PART_RECORDS } from "../../../../shared/vault/part-writer.ts";
import type { CatalogueRecord } from "../../../../shared/vault/records.ts";
import { memoryBlobs } from "../../../shared/storage/memory-blobs.ts";
import { aKey, all } from "../../../shared/vault/samples.ts";
import { aRun } from "../../kit.ts";

const RECORDS_EACH = 3;

const nameOf = ({ chunk, batch }: BatchId): string => `c${chunk}-b${batch}`;

const recordsOf = (id: BatchId, count = RECORDS_EACH): CatalogueRecord[] =>
  Array.from({ length: count }, (_, n) => ({
    v: 1,
    op: "skip",
    id: `${nameOf(id)}-${n}`,
    folderId: "inbox",
    reason: "item-not-found",
    code: "ErrorItemNotFound",
  }));

const batchesIn = (chunks: number, batches: number): BatchId[] =>
  Array.from({ length: chunks * batches }, (_, n) => ({ chunk: Math.floor(n / batches), batch: n % batches }));

describe("the parts of a wave", () => {
  test("hold the records of all batches in the order of the batches, in whichever order they end", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.shuffledSubarray([...Array(24).keys()], { minLength: 24, maxLength: 24 }),
        fc.integer({ min: 1, max: 6 }),
        fc.integer({ min: 1, max: 40 }),
        async (ending, lanes, partRecords) => {
          const vault = memoryBlobs();
          const parts = waveParts(vault, { key: aKey, runId: aRun, wave: 0 }, partRecords);
          const waiting = batchesIn(4, 6);
          const underWay: BatchId[] = [];
          for (const pick of ending) {
            while (underWay.length < lanes && waiting.length > 0) {
              const id = waiting.shift() as BatchId;
              parts.begin(id);
              underWay.push(id);
            }
            const [id] = underWay.splice(pick % underWay.length, 1);
            if (id !== undefined) await parts.end(id, recordsOf(id));
          }

          const written: string[] = [];
          for (const part of await parts.close())
            for (const record of await all(readPart(vault, part))) if (record.op === "skip") written.push(record.id);

          expect(written).toEqual(
            batchesIn(4, 6).flatMap((id) => recordsOf(id).flatMap((r) => ("id" in r ? r.id : []))),
          );
        },
      ),
    );
  });

  test("are written while the wave goes on, so that memory does not grow with it", async () => {
    const vault = memoryBlobs();
    const parts = waveParts(vault, { key: aKey, runId: aRun, wave: 0 }, 30);
    for (const id of batchesIn(10, 10)) {
      parts.begin(id);
      await parts.end(id, recordsOf(id));
    }

    expect(vault.writes).toHaveLength(10);
    expect(await parts.close()).toHaveLength(10);
  });

  test("are several where more records than fit into one have waited for a slow batch", async () => {
    const vault = memoryBlobs();
    const parts = waveParts(vault, { key: aKey, runId: aRun, wave: 0 });
    const batches = batchesIn(1, 21);
    for (const id of batches) parts.begin(id);
    for (const id of batches.toReversed()) await parts.end(id, recordsOf(id, 1_000));

    const written = await parts.close();
    expect(written.map(({ records }) => records)).toEqual([MAX_PART_RECORDS, 1_000]);
    const records = (await Promise.all(written.map((part) => all(readPart(vault, part))))).flat();
    expect(records).toEqual(batches.flatMap((id) => recordsOf(id, 1_000)));
  });

  test("do not wait for a batch that was given back", async () => {
    const parts = waveParts(memoryBlobs(), { key: aKey, runId: aRun, wave: 0 }, 1);
    const [first, second] = batchesIn(1, 2) as [BatchId, BatchId];
    parts.begin(first);
    parts.begin(second);
    parts.drop(first);

    await parts.end(second, recordsOf(second));

    expect(await parts.close()).toMatchObject([{ records: RECORDS_EACH }]);
  });

  test("are none where nothing was exported", async () => {
    const vault = memoryBlobs();
    expect(await waveParts(vault, { key: aKey, runId: aRun, wave: 0 }).close()).toEqual([]);
    expect(vault.writes).toEqual([]);
  });
});
