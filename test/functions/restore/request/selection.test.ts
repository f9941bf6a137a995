import { describe, expect, test } from "vitest";
import { selectFolders, UnknownFolderError } from "../../../../functions/restore/request/selection.ts";
import { aFolderAt } from "../plan/folders.ts";

const FOLDERS = [
  aFolderAt("Projects/2026/Bridge"),
  aFolderAt("Projects/2026"),
  aFolderAt("Inbox", { wellKnownName: "inbox" }),
  aFolderAt("Projects"),
  aFolderAt("Projects%2F2026"),
];

const chosen = (...folders: string[]): string[] => selectFolders(FOLDERS, { folders }).map(({ path }) => path);

describe("selectFolders", () => {
  test("returns all folders, parents before children", () => {
    const paths = selectFolders(FOLDERS, { all: true }).map(({ path }) => path);

    expect(paths.toSorted()).toEqual(FOLDERS.map(({ path }) => path).toSorted());
    expect(paths.indexOf("Projects")).toBeLessThan(paths.indexOf("Projects/2026"));
    expect(paths.indexOf("Projects/2026")).toBeLessThan(paths.indexOf("Projects/2026/Bridge"));
  });

  test.each(["old:Projects", "Projects", "projects"])("returns the folder %s and those below it", (name) => {
    expect(chosen(name)).toEqual(["Projects", "Projects/2026", "Projects/2026/Bridge"]);
  });

  test("finds a folder by its well-known name in any case", () => {
    expect(chosen("INBOX")).toEqual(["Inbox"]);
  });

  test("returns a folder once when it is named twice", () => {
    expect(chosen("Projects/2026", "Projects")).toEqual(["Projects", "Projects/2026", "Projects/2026/Bridge"]);
  });

  test("returns the named folders alone without children", () => {
    const paths = selectFolders(FOLDERS, { folders: ["Projects/2026", "Inbox"], children: false });

    expect(paths.map(({ path }) => path)).toEqual(["Inbox", "Projects/2026"]);
  });

  test("returns all folders for a selection of items, and one for a query that names it", () => {
    expect(selectFolders(FOLDERS, { items: ["any"] })).toHaveLength(FOLDERS.length);
    expect(selectFolders(FOLDERS, { query: { q: "bridge" } })).toHaveLength(FOLDERS.length);
    expect(selectFolders(FOLDERS, { query: { folder: "projects" } }).map(({ path }) => path)).toEqual(["Projects"]);
    expect(() => selectFolders(FOLDERS, { query: { folder: "Nowhere" } })).toThrow(UnknownFolderError);
  });

  test("compares ids exactly: Graph's differ by case alone", () => {
    expect(() => chosen("OLD:Inbox")).toThrow(UnknownFolderError);
  });

  test("names the folder that the snapshot does not have", () => {
    expect(() => chosen("Inbox", "Projects/2027")).toThrow(expect.objectContaining({ folder: "Projects/2027" }));
  });
});
