import { describe, expect, test } from "vitest";
import { TOP_FOLDER_ID, targetFolders, targetKeys } from "../../../../functions/restore/plan/target-folders.ts";
import type { TargetFolder } from "../../../../functions/restore/restore-state.ts";
import type { LiveFolder } from "../../../../shared/graph/folders.ts";
import type { SnapshotFolder } from "../../../../shared/vault/records.ts";
import { aFolderAt } from "./folders.ts";

const INBOX = aFolderAt("Inbox", { wellKnownName: "inbox" });
const PROJECTS = aFolderAt("Projects");
const YEAR = aFolderAt("Projects/2026");
const ALL = [INBOX, PROJECTS, YEAR];

const live = (path: string, more = {}) => aFolderAt(path, { prefix: "live", ...more });

const targetOf = (targets: readonly TargetFolder[], sourceId: string) =>
  targets.find((target) => target.sourceId === sourceId);

describe("targetFolders into a new folder", () => {
  test("rebuilds the tree below it, and touches no live folder", () => {
    const targets = targetFolders("new-folder", ALL, ALL, [live("Projects")], "Restored");

    expect(targets).toEqual([
      { sourceId: TOP_FOLDER_ID, displayName: "Restored", type: "IPF.Note" },
      { sourceId: INBOX.id, displayName: "Inbox", type: "IPF.Note", parentSourceId: TOP_FOLDER_ID },
      { sourceId: PROJECTS.id, displayName: "Projects", type: "IPF.Note", parentSourceId: TOP_FOLDER_ID },
      { sourceId: YEAR.id, displayName: "2026", type: "IPF.Note", parentSourceId: PROJECTS.id },
    ]);
  });

  test("puts a folder whose parent is not selected at the top, and numbers equal names there", () => {
    const other = aFolderAt("Family/2026");
    const selected = [YEAR, other, aFolderAt("2026 (2)")];

    const targets = targetFolders("new-folder", selected, selected, [], "Restored");

    expect(targets.slice(1).map(({ displayName }) => displayName)).toEqual(["2026", "2026 (2)", "2026 (2) (2)"]);
    expect(targets.slice(1).every(({ parentSourceId }) => parentSourceId === TOP_FOLDER_ID)).toBe(true);
  });

  test("compares names as Exchange does, without regard to case", () => {
    const targets = targetFolders("new-folder", [aFolderAt("a/News"), aFolderAt("b/NEWS")], [], [], "Restored");

    expect(targets.slice(1).map(({ displayName }) => displayName)).toEqual(["News", "NEWS (2)"]);
  });
});

describe("targetFolders into the original folders", () => {
  test("finds the inbox by its well-known name, under any display name", () => {
    const postfach = live("Posteingang", { wellKnownName: "Inbox" });

    const targets = targetFolders("original", [INBOX], ALL, [live("Inbox"), postfach], "unused");

    expect(targets).toEqual([expect.objectContaining({ sourceId: INBOX.id, liveId: postfach.id })]);
  });

  test("finds a folder below a parent that has another name in this mailbox", () => {
    const postfach = live("Posteingang", { wellKnownName: "inbox" });
    const below = aFolderAt("Inbox/Bridge");

    const targets = targetFolders(
      "original",
      [below],
      [below, INBOX],
      [postfach, live("Posteingang/bridge", { type: "IPF.Contact" }), live("Posteingang/Bridge")],
      "unused",
    );

    expect(targetOf(targets, below.id)?.liveId).toBe("live:Posteingang/Bridge");
  });

  test("finds other folders by path and type", () => {
    const calendar = live("projects", { type: "IPF.Appointment" });
    const mail = live("PROJECTS", { prefix: "mail" });

    const targets = targetFolders("original", [PROJECTS], ALL, [calendar, mail], "unused");

    expect(targetOf(targets, PROJECTS.id)?.liveId).toBe("mail:PROJECTS");
  });

  test("takes a folder of another type with the same name, since there can be no second one", () => {
    const calendar = live("Projects", { type: "IPF.Appointment" });

    const targets = targetFolders("original", [PROJECTS], ALL, [calendar], "unused");

    expect(targetOf(targets, PROJECTS.id)?.liveId).toBe(calendar.id);
  });

  test("needs the ancestors of a missing folder, before it, also when they are not selected", () => {
    const targets = targetFolders("original", [YEAR], ALL, [], "unused");

    expect(targets.map(({ sourceId }) => sourceId)).toEqual([PROJECTS.id, YEAR.id]);
    expect(targetOf(targets, YEAR.id)).toEqual({
      sourceId: YEAR.id,
      displayName: "2026",
      type: "IPF.Note",
      parentSourceId: PROJECTS.id,
    });
  });

  test("puts a missing folder into its live parent", () => {
    const targets = targetFolders("original", [YEAR], ALL, [live("Projects")], "unused");

    expect(targets.map(({ sourceId, liveId }) => [sourceId, liveId])).toEqual([
      [PROJECTS.id, "live:Projects"],
      [YEAR.id, undefined],
    ]);
  });
});

describe("targetFolders into folders that share a name", () => {
  const same = (id: string, path: string, more = {}) => ({ ...aFolderAt(path, more), id });
  const liveIds = (targets: readonly TargetFolder[]) =>
    Object.fromEntries(targets.map(({ sourceId, liveId, displayName }) => [sourceId, liveId ?? `new ${displayName}`]));
  const two = [same("a", "News"), same("b", "NEWS")];
  const into = (selected: readonly SnapshotFolder[], all: readonly SnapshotFolder[], there: readonly LiveFolder[]) =>
    liveIds(targetFolders("original", selected, all, there, "unused"));

  test("finds each by its id, wherever it is now", () => {
    const there = [same("b", "News"), same("a", "Elsewhere/Old")];

    expect(into(two, two, there)).toEqual({ a: "a", b: "b" });
  });

  test("never takes the live folder of another one, selected or not", () => {
    expect(into(two.slice(1), two, [same("a", "News")])).toEqual({ b: "new NEWS (2)" });
    expect(into([same("c", "Work")], [same("a", "News"), same("c", "Work")], [same("a", "Work")])).toEqual({
      c: "new Work (2)",
    });
  });

  test("creates the second under a number, and finds it there later", () => {
    expect(into(two, two, [])).toEqual({ a: "new News", b: "new NEWS (2)" });
    expect(into(two, two, [live("News"), live("news (2)")])).toEqual({ a: "live:News", b: "live:news (2)" });
    expect(into([...two, same("c", "News (2)")], [...two, same("c", "News (2)")], [])).toEqual({
      a: "new News",
      b: "new NEWS (3)",
      c: "new News (2)",
    });
  });

  test("prefers the very name in another mailbox that has both", () => {
    expect(into(two, two, [live("NEWS"), live("News")])).toEqual({ a: "live:News", b: "live:NEWS" });
  });

  test("looks for a child below the match of its parent alone", () => {
    const child = { ...aFolderAt("NEWS/2026"), id: "d", parentId: "b" };

    expect(into([child], [...two, child], [live("News"), live("News/2026")])).toEqual({
      b: "new NEWS (2)",
      d: "new 2026",
    });
  });

  test("does not restore into a folder that was deleted, unless it was so in the snapshot", () => {
    const bin = aFolderAt("Deleted Items", { wellKnownName: "deleteditems" });
    const gone = { ...aFolderAt("Deleted Items/News"), id: "a" };

    expect(into(two.slice(0, 1), two.slice(0, 1), [bin, gone])).toEqual({ a: "new News" });
    expect(into([gone], [bin, gone], [bin, gone])).toEqual({ a: "a" });
    const { wellKnownName: _, ...unnamed } = bin;
    expect(into(two.slice(0, 1), [bin, ...two.slice(0, 1)], [unnamed, gone])).toEqual({ a: "new News" });
  });
});

describe("targetKeys", () => {
  test("are the same for folders that are one in the target, and for no others", () => {
    const targets: TargetFolder[] = [
      { sourceId: "a", displayName: "Inbox", type: "IPF.Note", liveId: "live" },
      { sourceId: "b", displayName: "Posteingang", type: "IPF.Note", liveId: "live" },
      { sourceId: "c", displayName: "News", type: "IPF.Note", parentSourceId: "a" },
      { sourceId: "d", displayName: "NEWS", type: "IPF.Note", parentSourceId: "b" },
      { sourceId: "e", displayName: "News", type: "IPF.Note" },
    ];

    const [a, b, c, d, e, unknown] = ["a", "b", "c", "d", "e", "f"].map(targetKeys(targets));

    expect([b, d]).toEqual([a, c]);
    expect(new Set([a, c, e, unknown]).size).toBe(4);
  });
});
