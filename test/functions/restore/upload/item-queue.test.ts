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

/** Chunks of items by their search keys, and ledgers that keep what was appended, one list for each append. */
const aSource = (chunks: readonly (readonly string[])[], earlier: readonly LedgerEntry[] = []) => {
  const appends: LedgerEntry[][] = [];
  let open = 0;
  const openLedger = async (): Promise<Ledger> => {
    open += 1;
    return {
      entries: earlier,
      held: () => true,
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

const whole = (chunks: number) => [{ from: 0, to: chunks }];

describe("a queue of items", () => {
  test("gives every item to one lane, and never two copies of one at the same time", async () => {
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
          const inHand: NonNullable<Awaited<ReturnType<typeof queue.draw>>>[] = [];
          let drawn = 0;
          for (;;) {
            const next = inHand.length < lanes ? await queue.draw() : undefined;
            if (next !== undefined) {
              const copies = inHand.filter((other) => other.ledger === next.ledger);
              expect(copies.map(({ record }) => record.searchKey)).not.toContain(next.record.searchKey);
              inHand.push(next);
              drawn += 1;
              continue;
            }
            if (inHand.length === 0) break;
            const [done] = inHand.splice((picks.next().value ?? 0) % inHand.length, 1);
            if (done) await queue.settle(done, { op: "imported", item: done.item, itemId: `new-${drawn}` });
          }

          expect(drawn).toBe(chunks.flat().length);
          expect(queue.finished).toHaveLength(drawn);
          expect(queue.left).toEqual([]);
          expect(openLedgers()).toBe(0);
        },
      ),
      { numRuns: 200 },
    );
  });

  test("passes over what its ledger settles, and knows how often the others were tried", async () => {
    const { source } = aSource(
      [["a", "b", "c"]],
      [
        { op: "intent", item: 0 },
        { op: "imported", item: 0, itemId: "new" },
        { op: "intent", item: 1 },
        { op: "intent", item: 1 },
        { op: "intent", item: 2 },
        { op: "refused", item: 2 },
      ],
    );
    const queue = itemQueue(source, whole(1));

    const [one, two] = [await queue.draw(), await queue.draw()];

    expect([one, two].map((drawn) => [drawn?.item, drawn?.tries])).toEqual([
      [1, 2],
      [2, 0],
    ]);
    expect(await queue.draw()).toBeUndefined();
  });

  test("gives an item that was tried in vain again when its time has come, and says when that is", async () => {
    const { source } = aSource([["a"]]);
    const queue = itemQueue(source, whole(1));
    const first = await queue.draw();
    if (first === undefined) throw new Error("nothing was drawn");

    queue.giveBack(first, Date.now() + 60_000);
    expect(await queue.draw()).toBeUndefined();
    expect(queue.waitMs()).toBeGreaterThan(55_000);

    const other = itemQueue(source, whole(1));
    const again = await other.draw();
    if (again === undefined) throw new Error("nothing was drawn");
    other.giveBack(again, Date.now() - 1);
    expect((await other.draw())?.tries).toBe(1);
    expect(queue.left).toEqual(whole(1));
  });

  test("writes outcomes with the next intent, and all of them before it lets go", async () => {
    const { source, appends, openLedgers } = aSource([["a", "b"]]);
    const queue = itemQueue(source, whole(1));
    const [one, two] = [await queue.draw(), await queue.draw()];
    if (one === undefined || two === undefined) throw new Error("nothing was drawn");
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
