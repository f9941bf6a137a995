import { describe, expect, test } from "vitest";
import { folderScope } from "../../../../functions/backup/plan/folder-scope.ts";
import { foldSnapshot } from "../../../../shared/vault/fold.ts";
import { all } from "../../../shared/vault/samples.ts";
import { runBackup } from "../../../support/backup-run.ts";
import { aMailboxInGraph } from "../../kit.ts";

/** A mailbox that is backed up without one folder, which has another below it. */
const aBackupWithout = async () => {
  const kit = await aMailboxInGraph({ items: 40, layout: "typical", userFolders: 3 });
  const { admin, emulator, mailbox, vault, work } = kit;
  const folders = await admin.folders({ mailbox: mailbox.id });
  const named = (key: string) => {
    const folder = folders.find((each) => each.key === key);
    if (folder === undefined) throw new Error(`There is no folder ${key}`);
    return folder;
  };
  const place = { graphUrl: emulator.graphUrl, token: "emulator-token", vault, work };
  const without = { folderScope: folderScope([`/${named("user-0").displayName}`]) };
  const stored = async (snapshotId: string) =>
    new Set((await all(foldSnapshot(vault, mailbox.key, snapshotId))).map(({ folderId }) => folderId));
  const back = (options: Parameters<typeof runBackup>[2] = {}) => runBackup(place, mailbox, options);
  const first = await back(without);
  return { ...kit, first, top: named("user-0"), nested: named("user-2"), without, stored, back };
};

describe("a folder that is excluded by its path", () => {
  test("is left out with the folders below it", async () => {
    const { first, top, nested, stored } = await aBackupWithout();

    const folderIds = await stored(first.snapshotId);

    expect(folderIds.size).toBeGreaterThan(1);
    expect([top.id, nested.id].filter((id) => folderIds.has(id))).toEqual([]);
  });

  test("stays out when a folder below it changes, which makes no snapshot", async () => {
    const { admin, back, mailbox, nested, without } = await aBackupWithout();
    await admin["create-items"]({ mailbox: mailbox.id, folder: nested.id, count: 2 });

    expect(await back(without)).toMatchObject({ quiet: true, totals: { exported: 0 } });
  });

  test("is backed up by the first run after the setting has changed", async () => {
    const { back, top, nested, stored } = await aBackupWithout();

    const second = await back();

    expect(second.totals.exported).toBe(top.items + nested.items);
    expect((await stored(second.snapshotId)).has(nested.id)).toBe(true);
  });
});

/** Folders that are left out by default, with an item in each, and one that is hidden and backed up. */
const aBackupOfAll = async (behaviours: Record<string, boolean>) => {
  const kit = await aMailboxInGraph({ items: 5 }, { settings: { behaviours } });
  const { admin, emulator, vault, work } = kit;
  const mailbox = kit.mailbox.id;
  const make = async (displayName: string, parent?: string, wellKnownName?: string, hidden?: boolean) => {
    const { id } = await admin["create-folder"]({ mailbox, displayName, parent, wellKnownName, hidden });
    await admin["create-items"]({ mailbox, folder: id, count: 1 });
    return id;
  };
  const fill = async () => {
    const roots = [
      await make("Finder", undefined, "searchfolders"),
      await make("Dumpster", undefined, "recoverableitemsroot"),
    ];
    return [
      ...roots,
      await make("Unread Mail", roots[0]),
      await make("Deletions", roots[1], "recoverableitemsdeletions"),
    ];
  };
  const back = async () => {
    const { snapshotId } = await runBackup(
      { graphUrl: emulator.graphUrl, token: "emulator-token", vault, work },
      kit.mailbox,
    );
    return new Set((await all(foldSnapshot(vault, kit.mailbox.key, snapshotId))).map(({ folderId }) => folderId));
  };
  return { ...kit, make, fill, back };
};

const SHOWN = [
  ["shown", { wellKnownNames: true }],
  ["shown nowhere", { wellKnownNames: false }],
] as const;

describe.each(SHOWN)("search folders and the dumpster, with well-known names %s,", (_, behaviours) => {
  test("are left out by the first run, and by later ones", async () => {
    const { admin, mailbox, fill, make, back } = await aBackupOfAll(behaviours);
    const out = await fill();

    const first = await back();
    await make("Projects");
    const second = await back();
    await admin["expire-delta"]({ mailbox: mailbox.id });
    await make("Plans");
    const third = await back();

    expect([first, second, third].map(({ size }) => size)).toEqual([1, 2, 3]);
    for (const folder of out) expect([...third]).not.toContain(folder);
  });

  test("are left out where they come into being after the first run", async () => {
    const { fill, back } = await aBackupOfAll(behaviours);
    await back();
    await fill();

    expect((await back()).size).toBe(1);
  });
});

test("search folders are left out wherever they are, in runs that list folders and in those that do not", async () => {
  const { admin, mailbox, make, back } = await aBackupOfAll({});
  const search = async (parent: string) => {
    const { id } = await admin["create-folder"]({ mailbox: mailbox.id, parent, displayName: "Unread", search: true });
    await admin["create-items"]({ mailbox: mailbox.id, folder: id, count: 1 });
    return id;
  };
  const first = await search("inbox");
  expect((await back()).size).toBe(1);

  await search("drafts");
  await admin["change-folder"]({ mailbox: mailbox.id, folder: first, displayName: "Not read" });
  await make("Projects");
  expect((await back()).size).toBe(2);
});

test("hidden folders are backed up, at the top and below", async () => {
  const { make, back } = await aBackupOfAll({});
  const hidden = [await make("Rules", undefined, undefined, true), await make("Below", "inbox", undefined, true)];

  expect([...(await back())]).toEqual(expect.arrayContaining(hidden));
});
