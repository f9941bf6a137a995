import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { RestoreItem } from "../../../../functions/restore/restore-state.ts";
import { itemQueue } from "../../../../functions/restore/upload/item-queue.ts";
import type { Ledger, LedgerEntry } from "../../../../functions/restore/upload/ledger.ts";
import { aPut } from "../../../shared/vault/samples.ts";

const planned = (searchKeys: readonly string[]): RestoreItem[] =>
  searchKeys.map((searchKey, n) => ({ ...aPut({ id: `i${n}`, folderId: n % 2 === 0 ? "inbox" : "twin" }), searchKey }));

/** Both folders of the snapshot are one in the target. */
const folders = { inbox: "live", twin: "live" };

/** Chunks of items by their search keys, and ledgers that record a list of entries for each append. */
const aSource = (chunks: readonly (readonly string[])[], earlier: readonly LedgerEntry[] = []) => {
  const appends: LedgerEntry[][] = [];
  let open = 0;
  const openLedger = async (): Promise<Ledger> => {
    open += 1;
    return {
      entries: earlier,
      held: () => true,
      confirmHeld: async () => true,
      append: async (entries) => {
        appends.push([...entries]);
      },
      close: async () => {
        open -= 1;
      },
    };
  };
  const source = { folders, read: async (chunk: number) => planned(chunks[chunk] ?? []), openLedger };
  return { source, appends, openLedgers: () => open };
};

const AT = "2026-11-22T09:30:00.000Z";

const whole = (chunks: number) => [{ from: 0, to: chunks }];

describe("a queue of items", () => {
  test("returns every item to one lane, and never has two copies of one item in flight", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(fc.constantFrom("a", "b", "c"), { minLength: 1, maxLength: 6 }), {
          minLength: 1,
          maxLength: 4,
        }),
        fc.integer({ min: 1, max: 6 }),
        fc.infiniteStream(fc.nat(5)),
        async (chunks, lanes, picks) => {
          const { source, openLedgers } = aSource(chunks);
          const queue = itemQueue(source, whole(chunks.length));
          const inFlight: NonNullable<Awaited<ReturnType<typeof queue.take>>>[] = [];
          let taken = 0;
          for (;;) {
            const next = inFlight.length < lanes ? await queue.take() : undefined;
            if (next !== undefined) {
              const sameChunk = inFlight.filter((other) => other.ledger === next.ledger);
              expect(sameChunk.map(({ record }) => record.searchKey)).not.toContain(next.record.searchKey);
              inFlight.push(next);
              taken += 1;
              continue;
            }
            if (inFlight.length === 0) break;
            const [done] = inFlight.splice((picks.next().value ?? 0) % inFlight.length, 1);
            if (done) await queue.settle(done, { op: "imported", item: done.item, itemId: `new-${taken}` });
          }

          expect(taken).toBe(chunks.flat().length);
          expect(queue.finished).toHaveLength(taken);
          expect(queue.left).toEqual([]);
          expect(openLedgers()).toBe(0);
        },
      ),
      { numRuns: 200 },
    );
  });

  test("skips items that its ledger settles, and knows when the others were tried", async () => {
    const { source } = aSource(
      [["a", "b", "c"]],
      [
        { op: "intent", item: 0 },
        { op: "imported", item: 0, itemId: "new" },
        { op: "intent", item: 1 },
        { op: "intent", item: 1, at: AT },
        { op: "intent", item: 2, at: AT },
        { op: "refused", item: 2 },
      ],
    );
    const queue = itemQueue(source, whole(1));

    const [one, two] = [await queue.take(), await queue.take()];

    expect([one, two].map((taken) => [taken?.item, taken?.tries])).toEqual([
      [1, [{ at: undefined }, { at: AT }]],
      [2, []],
    ]);
    expect(await queue.take()).toBeUndefined();
  });

  test("returns a tried item again when its time has come, and says how long that takes", async () => {
    const { source } = aSource([["a"]]);
    const queue = itemQueue(source, whole(1));
    const first = await queue.take();
    if (first === undefined) throw new Error("nothing was taken");

    queue.requeue(first, { notBeforeMs: Date.now() + 60_000, tries: [{ at: AT }] });
    expect(await queue.take()).toBeUndefined();
    expect(queue.waitMs()).toBeGreaterThan(55_000);

    const other = itemQueue(source, whole(1));
    const again = await other.take();
    if (again === undefined) throw new Error("nothing was taken");
    other.requeue(again, { notBeforeMs: Date.now() - 1, tries: [{ at: AT }] });
    expect((await other.take())?.tries).toEqual([{ at: AT }]);
    expect(queue.left).toEqual(whole(1));
  });

  test("writes outcomes with the next intent, and the last ones before it closes the ledger", async () => {
    const { source, appends, openLedgers } = aSource([["a", "b"]]);
    const queue = itemQueue(source, whole(1));
    const [one, two] = [await queue.take(), await queue.take()];
    if (one === undefined || two === undefined) throw new Error("nothing was taken");
    await queue.settle(one, { op: "imported", item: 0, itemId: "new" });
    expect(appends).toEqual([]);

    await two.ledger.write({ op: "intent", item: 1 });
    await queue.settle(two, { op: "failed", item: 1, code: "x" });

    expect(appends).toEqual([
      [
        { op: "imported", item: 0, itemId: "new" },
        { op: "intent", item: 1 },
      ],
      [{ op: "failed", item: 1, code: "x" }],
    ]);
    expect(openLedgers()).toBe(0);
  });
});
