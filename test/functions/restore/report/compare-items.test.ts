import { describe, expect, test } from "vitest";
import { itemComparison } from "../../../../functions/restore/report/compare-items.ts";
import {
  beginning,
  type ComparedEntry,
  type WantedEntry,
} from "../../../../functions/restore/report/comparison-state.ts";
import { folderReports } from "../../../../functions/restore/report/folder-reports.ts";
import type { TargetFolder } from "../../../../functions/restore/restore-state.ts";
import type { Settled } from "../../../../functions/restore/upload/ledger.ts";

const INBOX = 0;
const SENT = 1;

/** A live item; `copy`: of one that came since the restore began. */
const live = (id: string, copy?: string, folder = INBOX): ComparedEntry => ({
  t: "live",
  folder,
  id,
  changeKey: `${id}!`,
  ...(copy !== undefined && { copy }),
});

const wanted = (id: string, settled?: Settled, copy?: string, folder = INBOX): WantedEntry => ({
  ...{ t: "wanted", position: `000000-${id}`, folder, id, rawBytes: 10 },
  ...(settled !== undefined && { settled }),
  ...(copy !== undefined && { copy }),
});

const imported = (itemId: string, changeKey = "v"): Settled => ({ op: "imported", item: 0, itemId, changeKey });
const idOf = (entry: ComparedEntry): string => {
  if (entry.t === "live") return entry.id;
  return entry.settled !== undefined && "itemId" in entry.settled ? entry.settled.itemId : "";
};

const groupsOf = <T>(entries: readonly T[], keyOf: (entry: T) => string): T[][] => {
  const groups = new Map<string, T[]>();
  for (const entry of entries) groups.set(keyOf(entry), [...(groups.get(keyOf(entry)) ?? []), entry]);
  return [...groups.values()];
};

/** Compares as the stages do: first by ids, then what is left by copies. */
const compare = (
  items: readonly WantedEntry[],
  contents: readonly ComparedEntry[],
  options: { unseen?: boolean; gone?: number[] } = {},
) => {
  const comparison = itemComparison(beginning(false, "2026-11-22T09:30:00Z").tally, {
    folderIdOf: (folder) => ["inbox", "sent"][folder] ?? "",
    unseen: options.unseen ?? false,
    gone: new Set(options.gone ?? []),
  });
  const left = items.flatMap((item) => comparison.add(item) ?? []);
  const byId = left.flatMap(({ by, entry }) => (by === "id" ? [entry] : []));
  const byCopy: ComparedEntry[] = left.flatMap(({ by, entry }) => (by === "copy" ? [entry] : []));
  for (const group of groupsOf([...contents, ...byId], idOf)) byCopy.push(...comparison.matchIds(group));
  for (const group of groupsOf(byCopy, ({ copy }) => copy ?? "")) comparison.matchCopies(group);
  const { tally, rows, versions } = comparison.take();
  const sorted = rows.toSorted((a, b) => (a.key < b.key ? -1 : 1)).map(({ value }) => value);
  return { tally, rows: sorted, versions: versions.map(({ value }) => value) };
};

const NOTHING = { imported: 0, replaced: 0, ambiguous: 0, failed: 0, missing: 0, bytes: 0, surplus: 0 };

describe("itemComparison", () => {
  test("matches by id before it matches copies, for any order of the items", () => {
    const items = [
      wanted("1", imported("gone-1"), "k"),
      wanted("2", imported("new-2"), "k"),
      wanted("3", imported("gone-3"), "k"),
    ];

    expect(compare(items, [live("new-2", "k"), live("copy", "k")])).toEqual({
      tally: {
        ...{ ...NOTHING, imported: 2, missing: 1, bytes: 20 },
        folders: { [INBOX]: { wanted: 3, imported: 3, replaced: 0, present: 2, missing: 1, surplus: 0 } },
      },
      rows: [{ folderId: "inbox", id: "3", outcome: "missing" }],
      versions: [],
    });
  });

  test("lists replaced items, and counts them as present", () => {
    const found = compare([wanted("1", { op: "replaced", item: 0, itemId: "live-1" })], [live("live-1")]);

    expect(found.tally).toMatchObject({ imported: 0, replaced: 1, missing: 0, bytes: 10 });
    expect(found.tally.folders[INBOX]).toMatchObject({ wanted: 1, imported: 0, replaced: 1, present: 1, missing: 0 });
    expect(found.rows).toEqual([{ folderId: "inbox", id: "1", outcome: "replaced" }]);
  });

  test("matches a live item once, however often it is listed, and whoever else has it in a ledger", () => {
    const items = [wanted("1", imported("new-1"), "k"), wanted("2", imported("new-1"), "k")];

    expect(compare(items, [live("new-1", "k"), live("new-1", "k")]).tally).toMatchObject({ imported: 1, missing: 1 });
  });

  test("keeps failed and ambiguous outcomes, with the code of a failure, even when there is a copy", () => {
    const items = [
      wanted("1", { op: "failed", item: 0, code: "ErrorItemTooLarge" }, "k"),
      wanted("2", { op: "ambiguous", item: 1, code: "no-search-key", lookAt: ["x"] }),
    ];

    const { tally, rows } = compare(items, [live("copy", "k")]);
    expect(tally).toMatchObject({ imported: 0, ambiguous: 1, failed: 1, missing: 0 });
    expect(rows).toMatchObject([
      { outcome: "failed", code: "ErrorItemTooLarge" },
      { outcome: "ambiguous", code: "no-search-key", lookAt: ["x"] },
      { outcome: "surplus", lookAt: ["copy"] },
    ]);
  });

  test("counts an item that was never answered as imported when there is a copy after all", () => {
    const items = ["1", "2"].map((id) => wanted(id, { op: "failed", item: 0, code: "no-answer" }, "k"));

    const { tally, rows } = compare(items, [live("copy", "k")]);
    expect(tally).toMatchObject({ imported: 1, failed: 1, missing: 0, surplus: 0 });
    expect(rows).toMatchObject([{ id: "2", outcome: "failed", code: "no-answer" }]);
  });

  test("never matches a copy with an item without a search key, nor an older one with any", () => {
    const items = [wanted("1", imported("gone")), wanted("2", imported("gone, too"), "k")];

    expect(compare(items, [live("older"), live("other", "j")]).tally).toMatchObject({ imported: 0, missing: 2 });
  });

  test("finds nothing in a folder that is gone", () => {
    const items = [wanted("1", imported("new-1"), "k", SENT), wanted("2", imported("new-2"))];

    const { tally } = compare(items, [live("new-1", "k", SENT), live("new-2")], { gone: [SENT] });
    expect(tally).toMatchObject({ imported: 1, missing: 1, surplus: 0 });
  });

  test("believes the ledgers where the mailbox is not looked at", () => {
    const { tally, rows } = compare([wanted("1", imported("new-1"), "k"), wanted("2", undefined, "k")], [], {
      unseen: true,
    });

    expect(tally).toMatchObject({ imported: 1, missing: 1 });
    expect(rows).toEqual([{ folderId: "inbox", id: "2", outcome: "missing", unsettled: true }]);
  });

  test("counts copies that nobody accounts for, by the first item that they are copies of", () => {
    const items = [wanted("1", imported("new-1"), "k"), wanted("2", { op: "ambiguous", item: 1 }, "k")];

    const { tally, rows } = compare(items, [live("new-1", "k"), ...["a", "b", "c"].map((id) => live(id, "k"))]);
    expect(tally).toMatchObject({ imported: 1, ambiguous: 1, surplus: 2 });
    expect(rows.at(-1)).toEqual({ folderId: "inbox", id: "1", outcome: "surplus", lookAt: ["a", "b", "c"] });
  });

  test("tells the version of an item whose import's answer told none", () => {
    const unversioned: Settled = { op: "imported", item: 0, itemId: "new-1" };

    expect(
      compare([wanted("1", unversioned), wanted("2", imported("new-2"))], [live("new-1"), live("new-2")]).versions,
    ).toEqual([["new-1", "new-1!"]]);
  });
});

const aFolder = (sourceId: string, overrides: Partial<TargetFolder> = {}): TargetFolder => ({
  sourceId,
  displayName: sourceId,
  type: "IPF.Note",
  ...overrides,
});

const counts = (items: number) => ({
  wanted: items,
  imported: items,
  replaced: 0,
  present: items,
  missing: 0,
  surplus: 0,
});

describe("folderReports", () => {
  test("has the items that a folder had already, also when nothing was planned for it", () => {
    const folders = [aFolder("inbox", { present: 2 }), aFolder("sent", { present: 1 })];

    expect(folderReports(folders, { 0: counts(1) })).toMatchObject([
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

    expect(
      folderReports(folders, { 1: counts(1), 2: counts(1) }).map(({ folderId, path }) => [folderId, path]),
    ).toEqual([
      ["inbox", "top/a%2Fb"],
      ["deep", undefined],
    ]);
  });
});
