import fc from "fast-check";
import { describe, expect, test } from "vitest";
import * as z from "zod";
import { eachInOrder, keepRun, mergeRuns, type SortedRun } from "../../../../functions/restore/paging/sorted-runs.ts";
import { memoryBlobs } from "../../../shared/storage/memory-blobs.ts";
import { all } from "../../../shared/vault/samples.ts";

const Value = z.object({ run: z.number(), n: z.number(), text: z.string() });
type Value = z.output<typeof Value>;

const someRuns = fc.array(
  fc.array(fc.record({ key: fc.constantFrom("a", "b", "ba", "c", "Z", "é", "\n"), text: fc.string() })),
  { maxLength: 8 },
);

/** Runs of some entries, each with a value that tells where it is from. */
const aMerge = async (runs: readonly (readonly { key: string; text: string }[])[]) => {
  const blobs = memoryBlobs();
  const kept: SortedRun[] = [];
  for (const [run, entries] of runs.entries())
    kept.push(
      ...(await keepRun(
        blobs,
        `run-${run}`,
        entries.map(({ key, text }, n) => ({ key, value: { run, n, text } })),
      )),
    );
  return { blobs, kept };
};

describe("sorted runs", () => {
  test("are merged in the order of keys, those of one key in one group, in the order of runs", async () => {
    await fc.assert(
      fc.asyncProperty(someRuns, async (runs) => {
        const { blobs, kept } = await aMerge(runs);
        const merge = await mergeRuns<Value>(blobs, kept, Value);
        const keys: string[] = [];
        const found: Value[] = [];
        for (let group = await merge.next(); group !== undefined; group = await merge.next()) {
          keys.push(group.key);
          expect(group.values.map(({ run }) => run)).toEqual(group.values.map(({ run }) => run).toSorted());
          found.push(...group.values);
        }
        expect(keys).toEqual([...new Set(runs.flat().map(({ key }) => key))].toSorted());
        expect(found).toHaveLength(runs.flat().length);
      }),
    );
  });

  test("are merged from wherever another merge stood, as if that had gone on", async () => {
    await fc.assert(
      fc.asyncProperty(someRuns, fc.nat(20), async (runs, groups) => {
        const { blobs, kept } = await aMerge(runs);
        const first = await mergeRuns<Value>(blobs, kept, Value);
        for (let n = 0; n < groups; n += 1) await first.next();
        const second = await mergeRuns<Value>(blobs, kept, Value, first.at());
        for (let n = 0; n < 30; n += 1) expect(await second.next()).toEqual(await first.next());
      }),
    );
  });

  test("may have lines longer than what is read ahead", async () => {
    const long = "x".repeat(200_000);
    const { blobs, kept } = await aMerge(Array.from({ length: 300 }, () => [{ key: "a", text: long }]).slice(0, 20));

    expect(await all(eachInOrder(blobs, [...kept, ...kept], Value))).toHaveLength(40);
  });

  test("are none of no entries", async () => {
    expect((await aMerge([[]])).kept).toEqual([]);
  });

  test.each([
    ["is gone", (blobs: ReturnType<typeof memoryBlobs>) => blobs.blobs.delete("run-0")],
    ["was cut", (blobs: ReturnType<typeof memoryBlobs>) => void blobs.blobs.get("run-0")?.body.fill(0)],
  ])("fail when a run %s", async (_, harm) => {
    const { blobs, kept } = await aMerge([[{ key: "a", text: "one" }]]);
    harm(blobs);

    await expect(all(eachInOrder(blobs, kept, Value))).rejects.toThrow("run-0");
  });
});
