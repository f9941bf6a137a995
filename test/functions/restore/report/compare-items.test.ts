import { describe, expect, test } from "vitest";
import { itemComparison } from "../../../../functions/restore/report/compare-items.ts";
import type { TargetFolder } from "../../../../functions/restore/restore-state.ts";
import { copyCounter } from "../../../../shared/copy-counter.ts";

const aFolder = (sourceId: string, overrides: Partial<TargetFolder> = {}): TargetFolder => ({
  sourceId,
  displayName: sourceId,
  type: "IPF.Note",
  ...overrides,
});

/** One copy in the inbox for each search key that is named. */
const copiesOf = (...keys: string[]) => {
  const copies = copyCounter();
  for (const key of keys) copies.add("live-inbox", key);
  return copies;
};

const anItem = (id: string, searchKey?: string, folderId = "inbox") => ({
  folderId,
  id,
  rawBytes: 10,
  ...(searchKey === undefined ? {} : { searchKey }),
});

const compare = (ids: string[], folders: TargetFolder[] = [aFolder("inbox")]) =>
  itemComparison({ present: 3, folders }, { inbox: "live-inbox" }, new Set(ids));

const imported = (itemId: string) => ({ op: "imported", item: 0, itemId }) as const;

const NOTHING_ELSE = { surplus: [], stopped: undefined };

describe("itemComparison", () => {
  test("matches by id before it matches copies, for any order of the items", () => {
    const comparison = compare(["new-2"]);
    comparison.add(anItem("1", "key"), imported("gone-1"));
    comparison.add(anItem("2", "key"), imported("new-2"));
    comparison.add(anItem("3", "key"), imported("gone-3"));

    expect([...comparison.foldersToSearch]).toEqual(["live-inbox"]);
    expect(comparison.finish(copiesOf("key"), NOTHING_ELSE)).toEqual({
      counts: { imported: 2, replaced: 0, present: 3, ambiguous: 0, failed: 0, missing: 1, bytes: 20, surplus: 0 },
      folders: [
        {
          folderId: "inbox",
          path: "inbox",
          ...{ wanted: 3, imported: 3, replaced: 0, present: 2, missing: 1, alreadyThere: 0, surplus: 0 },
        },
      ],
      items: [{ folderId: "inbox", id: "3", outcome: "missing" }],
    });
  });

  test("lists replaced items, and counts them as present", () => {
    const comparison = compare(["live-1"]);
    comparison.add(anItem("1", "key"), { op: "replaced", item: 0, itemId: "live-1" });

    expect(comparison.finish(copiesOf(), NOTHING_ELSE)).toMatchObject({
      counts: { imported: 0, replaced: 1, missing: 0, bytes: 10 },
      folders: [{ wanted: 1, imported: 0, replaced: 1, present: 1, missing: 0 }],
      items: [{ folderId: "inbox", id: "1", outcome: "replaced" }],
    });
  });

  test("searches for no copies when every item is found by id", () => {
    const comparison = compare(["new-1"]);
    comparison.add(anItem("1", "key"), imported("new-1"));

    expect(comparison.foldersToSearch.size).toBe(0);
    expect(comparison.finish(copiesOf(), NOTHING_ELSE).counts).toMatchObject({ imported: 1, missing: 0 });
  });

  test("keeps failed and ambiguous outcomes, with the code of a failure, even when there is a copy", () => {
    const comparison = compare([]);
    comparison.add(anItem("1", "key"), { op: "failed", item: 0, code: "ErrorItemTooLarge" });
    comparison.add(anItem("2"), { op: "ambiguous", item: 1, code: "no-search-key", lookAt: ["x"] });

    expect(comparison.finish(copiesOf("key"), NOTHING_ELSE)).toMatchObject({
      counts: { imported: 0, ambiguous: 1, failed: 1, missing: 0 },
      folders: [{ wanted: 2, imported: 0, present: 0, missing: 2 }],
      items: [
        { outcome: "failed", code: "ErrorItemTooLarge" },
        { outcome: "ambiguous", code: "no-search-key", lookAt: ["x"] },
      ],
    });
  });

  test("counts an item that was never answered as imported when there is a copy after all", () => {
    const comparison = compare([]);
    for (const id of ["1", "2"]) comparison.add(anItem(id, "key"), { op: "failed", item: 0, code: "no-answer" });

    expect(comparison.finish(copiesOf("key"), NOTHING_ELSE)).toMatchObject({
      counts: { imported: 1, failed: 1, missing: 0 },
      items: [{ id: "2", outcome: "failed", code: "no-answer" }],
    });
  });

  test("never matches a copy with an item without a search key", () => {
    const comparison = compare([]);
    comparison.add(anItem("1"), imported("gone"));

    expect(comparison.finish(copiesOf("key"), NOTHING_ELSE).items).toEqual([
      { folderId: "inbox", id: "1", outcome: "missing" },
    ]);
  });

  test("counts the items that a folder had already, also when nothing was planned for it", () => {
    const comparison = compare(["new-1"], [aFolder("inbox", { present: 2 }), aFolder("sent", { present: 1 })]);
    comparison.add(anItem("1", "key"), imported("new-1"));

    expect(comparison.finish(copiesOf(), NOTHING_ELSE).folders).toMatchObject([
      { folderId: "inbox", wanted: 1, imported: 1, alreadyThere: 2 },
      { folderId: "sent", wanted: 0, imported: 0, missing: 0, alreadyThere: 1 },
    ]);
  });

  test("leaves out the path of a folder when the plan lacks one above it, and folders without items", () => {
    const folders = [
      aFolder("top"),
      aFolder("inbox", { displayName: "a/b", parentSourceId: "top" }),
      aFolder("deep", { parentSourceId: "elsewhere" }),
    ];
    const comparison = compare([], folders);
    comparison.add(anItem("1"), undefined);
    comparison.add(anItem("2", undefined, "deep"), undefined);

    expect(comparison.finish(copiesOf(), NOTHING_ELSE).folders.map(({ folderId, path }) => [folderId, path])).toEqual([
      ["inbox", "top/a%2Fb"],
      ["deep", undefined],
    ]);
  });
});
