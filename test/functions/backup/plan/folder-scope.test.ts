import { describe, expect, test } from "vitest";
import { folderScope, foldersInScope } from "../../../../functions/backup/plan/folder-scope.ts";
import type { LiveFolder } from "../../../../shared/graph/folders.ts";

const aFolder = (id: string, more: Partial<LiveFolder> = {}): LiveFolder => ({
  id,
  displayName: id,
  path: id,
  type: "IPF.Note",
  itemCount: 1,
  ...more,
});

describe("foldersInScope", () => {
  test("keeps mail, calendars, contacts and folders of unknown kinds", () => {
    const folders = [
      aFolder("inbox", { wellKnownName: "inbox" }),
      aFolder("calendar", { type: "IPF.Appointment", wellKnownName: "calendar" }),
      aFolder("deleteditems", { wellKnownName: "deleteditems" }),
      aFolder("of a later year", { wellKnownName: "somethingnew" }),
      aFolder("own"),
    ];

    expect(foldersInScope(folders)).toEqual(folders);
  });

  test("leaves out search folders wherever they are, unless the setting takes them back", () => {
    const folders = [aFolder("inbox"), aFolder("unread", { parentId: "inbox", isSearch: true })];

    expect(foldersInScope(folders).map(({ id }) => id)).toEqual(["inbox"]);
    expect(foldersInScope(folders, folderScope(["+searchfolders"]))).toEqual(folders);
  });

  test.each(["searchfolders", "SyncIssues", "outbox", "recoverableitemsdeletions"])(
    "leaves out %s, and all folders below it",
    (wellKnownName) => {
      const folders = [
        aFolder("inbox", { wellKnownName: "inbox" }),
        aFolder("excluded", { wellKnownName }),
        aFolder("child", { parentId: "excluded" }),
        aFolder("grandchild", { parentId: "child" }),
        aFolder("other child", { parentId: "inbox" }),
      ];

      expect(foldersInScope(folders).map(({ id }) => id)).toEqual(["inbox", "other child"]);
    },
  );

  test("goes by the well-known name, never by the display name", () => {
    expect(foldersInScope([aFolder("Outbox", { displayName: "Outbox" })])).toHaveLength(1);
  });
});

describe("folderScope", () => {
  const folders = [
    aFolder("inbox", { wellKnownName: "inbox", path: "Inbox" }),
    aFolder("news", { parentId: "inbox", path: "Inbox/News" }),
    aFolder("daily", { parentId: "news", path: "Inbox/News/Daily" }),
    aFolder("junk", { wellKnownName: "junkemail", path: "Junk Email" }),
    aFolder("top", { path: "Projects, old" }),
    aFolder("slash", { parentId: "top", path: "Projects, old/50%25%2F50" }),
    aFolder("dumpster", { wellKnownName: "recoverableitemsroot", path: "Recoverable Items" }),
    aFolder("deletions", { parentId: "dumpster", wellKnownName: "recoverableitemsdeletions", path: "x/Deletions" }),
    aFolder("audits", { parentId: "dumpster", path: "Recoverable Items/Audits" }),
    aFolder("outbox", { wellKnownName: "outbox", path: "Outbox" }),
  ];
  const inScope = ["inbox", "news", "daily", "junk", "top", "slash"];
  const leftOut = (...entries: string[]) => {
    const ids = foldersInScope(folders, folderScope(entries)).map(({ id }) => id);
    return inScope.filter((id) => !ids.includes(id));
  };

  test.each([
    ["junkemail", ["junk"]],
    ["JunkEmail", ["junk"]],
    ["Junk Email", ["junk"]],
    ["Inbox/News", ["news", "daily"]],
    ["/inbox/news/daily", ["daily"]],
    ["Projects%2C old", ["top", "slash"]],
    ["Projects%2c old/50%25%2f50", ["slash"]],
    ["/junkemail", []],
    ["News", []],
  ])("%s leaves out %j beside the defaults", (entry, ids) => {
    expect(leftOut(entry)).toEqual(ids);
    expect(foldersInScope(folders, folderScope([entry])).map(({ id }) => id)).not.toContain("outbox");
  });

  test("a plus takes back a default, though the folder above it stays out", () => {
    const ids = foldersInScope(folders, folderScope(["+recoverableitemsdeletions"])).map(({ id }) => id);

    expect(ids).toEqual([...inScope, "deletions"]);
  });

  test("a plus takes back the folders below it too", () => {
    const ids = foldersInScope(folders, folderScope(["+RecoverableItemsRoot"])).map(({ id }) => id);

    expect(ids).toEqual([...inScope, "dumpster", "audits"]);
  });

  test("refuses to take back a folder that is no default, which would change nothing", () => {
    expect(() => folderScope(["+recoverableitems"])).toThrow(
      "BACKUP_EXCLUDE_FOLDERS takes back recoverableitems, which is not excluded by default",
    );
  });
});
