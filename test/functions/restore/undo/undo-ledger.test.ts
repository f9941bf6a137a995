import { expect, test } from "vitest";
import { undoneItems } from "../../../../functions/restore/undo/undo-ledger.ts";

const item = 3;

test.each([
  ["is gone after an intent", [{ op: "intent" }, { op: "gone" }], "deleted"],
  ["was gone before", [{ op: "gone" }], "gone"],
  ["was deleted, and is gone for another delivery", [{ op: "intent" }, { op: "deleted" }, { op: "gone" }], "deleted"],
  ["was changed after an intent that never was carried out", [{ op: "intent" }, { op: "changed" }], "changed"],
  ["has no more than an intent", [{ op: "intent" }], undefined],
] as const)("an item that %s", (_, entries, op) => {
  expect(undoneItems(entries.map((entry) => ({ ...entry, item }))).get(item)?.op).toBe(op);
});

test("an intent says nothing about another item", () => {
  const ends = undoneItems([
    { op: "intent", item: 0 },
    { op: "gone", item },
  ]);

  expect([...ends.values()]).toEqual([{ op: "gone", item }]);
});
