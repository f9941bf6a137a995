import { describe, expect, test } from "vitest";
import { findRestoreReport } from "../../../../functions/restore/report/restore-report.ts";
import { ledgerName } from "../../../../functions/restore/restore-state.ts";
import { aRestoreId } from "../../kit.ts";
import { aRestore, copyFirstItem } from "../a-restore.ts";

type Kit = Awaited<ReturnType<typeof aRestore>>;

const reportOf = async ({ work }: Kit) => {
  const report = await findRestoreReport(work, aRestoreId);
  if (report === undefined) throw new Error("There is no report");
  return report;
};

describe("reconcile-restore", () => {
  test("finds every item after a restore, and reports no problem", async () => {
    const kit = await aRestore();
    const { session, lost } = await kit.loseInbox();
    await kit.upload(session);

    expect(await kit.reconcile()).toEqual({
      imported: 6,
      replaced: 0,
      present: 0,
      ambiguous: 0,
      failed: 0,
      missing: 0,
      bytes: lost.reduce((sum, { bytes }) => sum + bytes, 0),
      surplus: 0,
    });
    expect(await reportOf(kit)).toMatchObject({
      mailbox: kit.mailbox.key,
      snapshot: kit.snapshotId,
      counts: { imported: 6, missing: 0 },
      folders: [{ folderId: await kit.folderId(), path: "Inbox", wanted: 6, imported: 6, present: 6, missing: 0 }],
      items: [],
    });
  });

  test("reports folder by folder, with the paths of the new ones", async () => {
    const kit = await aRestore({ items: 30, layout: "typical" });
    const { items: wanted, chunks } = await kit.plan({
      target: "new-folder",
      select: { folders: ["Inbox", "Calendar"] },
    });
    await kit.makeFolders();
    await kit.upload(await kit.openSession(), { pending: [{ from: 0, to: chunks }] });
    await kit.reconcile();

    const { folders, started, finished } = await reportOf(kit);
    const byPath = new Map(folders.map((folder) => [folder.path, folder]));
    for (const name of ["inbox", "calendar"]) {
      const count = (await kit.items(name)).length;
      const path = `Restored 2026-11-22 09.30 xyz567/${name === "inbox" ? "Inbox" : "Calendar"}`;
      expect(byPath.get(path)).toMatchObject({ wanted: count, imported: count, present: count, missing: 0 });
    }
    expect(folders.reduce((sum, folder) => sum + folder.wanted, 0)).toBe(wanted);
    expect(Date.parse(finished)).toBeGreaterThanOrEqual(Date.parse(started));
  });

  test("reports an imported item that is gone as missing", async () => {
    const kit = await aRestore();
    const { session, lost } = await kit.loseInbox();
    await kit.upload(session);
    const [removed] = await kit.items();
    await kit.admin["remove-item"]({ mailbox: kit.mailbox.id, item: removed?.id ?? "" });

    expect(await kit.reconcile()).toMatchObject({ imported: 5, missing: 1 });
    const original = lost.find(({ sha256 }) => sha256 === removed?.sha256);
    const folderId = await kit.folderId();
    const { items, folders } = await reportOf(kit);
    expect(items).toEqual([{ folderId, id: original?.id, outcome: "missing" }]);
    expect(folders).toMatchObject([{ folderId, wanted: 6, imported: 6, present: 5, missing: 1 }]);
  });

  test("reports items that no ledger settles as missing", async () => {
    const kit = await aRestore();
    await kit.loseInbox();

    expect(await kit.reconcile()).toMatchObject({ imported: 0, missing: 6 });
    expect((await reportOf(kit)).items).toHaveLength(6);
  });

  test("matches a live item once, also when the ledger has it for two items", async () => {
    const kit = await aRestore({ items: 2 });
    const { session } = await kit.loseInbox();
    await kit.upload(session, { budgetMs: 1 });
    const [restored] = await kit.items();
    const ledger = await kit.ledgers.open(ledgerName(aRestoreId, 0));
    await ledger.append([{ op: "imported", item: 1, itemId: restored?.id ?? "" }]);
    await ledger.close();

    expect(await kit.reconcile()).toMatchObject({ imported: 1, missing: 1 });
  });

  test("finds an item whose id has changed", async () => {
    const kit = await aRestore({ items: 2 });
    const { session } = await kit.loseInbox();
    await kit.upload(session);
    const [restored] = await kit.items();
    await copyFirstItem(kit, 1);
    await kit.admin["remove-item"]({ mailbox: kit.mailbox.id, item: restored?.id ?? "" });

    expect(await kit.reconcile()).toMatchObject({ imported: 2, missing: 0 });
    expect((await reportOf(kit)).folders).toMatchObject([{ wanted: 2, imported: 2, present: 2, missing: 0 }]);
  });

  test("counts copies: one is missing when one of three imported ones is gone", async () => {
    const kit = await aRestore({ items: 1 }, { prepare: (mailbox) => copyFirstItem(mailbox, 2) });
    const { session } = await kit.loseInbox();
    await kit.upload(session);
    const [restored] = await kit.items();
    await kit.admin["remove-item"]({ mailbox: kit.mailbox.id, item: restored?.id ?? "" });

    expect(await kit.reconcile()).toMatchObject({ imported: 2, missing: 1 });
    expect((await reportOf(kit)).folders).toMatchObject([{ wanted: 3, imported: 3, present: 2, missing: 1 }]);
  });

  test("does not match an older copy with an imported item that was lost again", async () => {
    let original = "";
    const kit = await aRestore(
      { items: 1 },
      {
        prepare: async (mailbox) => {
          original = (await mailbox.items())[0]?.id ?? "";
          await copyFirstItem(mailbox, 1);
        },
      },
    );
    const removeCopy = async () => {
      for (const { id } of await kit.items())
        if (id !== original) await kit.admin["remove-item"]({ mailbox: kit.mailbox.id, item: id });
    };
    await removeCopy();
    expect(await kit.plan()).toMatchObject({ items: 1, present: 1 });
    await kit.makeFolders();
    await kit.upload(await kit.openSession());
    await removeCopy();

    expect(await kit.reconcile()).toMatchObject({ imported: 0, present: 1, missing: 1 });
  });

  test("reports failed items with their codes", async () => {
    const kit = await aRestore({ items: 2 });
    const { session } = await kit.loseInbox();
    await kit.fault({ kind: "status", endpoint: "import-item", status: 413, count: 1 });
    await kit.upload(session);

    expect(await kit.reconcile()).toMatchObject({ imported: 1, failed: 1, missing: 0 });
    const { items, folders } = await reportOf(kit);
    expect(items).toMatchObject([{ outcome: "failed", code: expect.stringMatching(/./) }]);
    expect(folders).toMatchObject([{ wanted: 2, imported: 1, present: 1, missing: 1 }]);
  });

  test("keeps the first report", async () => {
    const kit = await aRestore({ items: 1 });
    const { session } = await kit.loseInbox();
    await kit.upload(session);
    await kit.reconcile();
    const [item] = await kit.items();
    await kit.admin["remove-item"]({ mailbox: kit.mailbox.id, item: item?.id ?? "" });

    await kit.reconcile();

    expect((await reportOf(kit)).counts.missing).toBe(0);
  });

  test("names the copies that are too many, and no older ones", async () => {
    const kit = await aRestore({ items: 2 }, { prepare: (mailbox) => copyFirstItem(mailbox, 1) });
    const { session } = await kit.loseInbox();
    await kit.upload(session);
    const before = (await kit.items()).map(({ id }) => id);
    await copyFirstItem(kit, 2);
    const added = (await kit.items()).map(({ id }) => id).filter((id) => !before.includes(id));

    expect(await kit.reconcile()).toMatchObject({ imported: 3, missing: 0, surplus: 2 });
    const { folders, items } = await reportOf(kit);
    expect(folders).toMatchObject([{ wanted: 3, present: 3, surplus: 2 }]);
    expect(items).toEqual([
      { folderId: await kit.folderId(), id: expect.any(String), outcome: "surplus", lookAt: expect.any(Array) },
    ]);
    expect(items[0]?.lookAt?.toSorted()).toEqual(added.toSorted());
  });

  test("says which items to look at where an import is ambiguous, and counts none of them as surplus", async () => {
    const kit = await aRestore({ items: 1 });
    await kit.plan({ onConflict: "duplicate" });
    await kit.makeFolders();
    await kit.fault({ kind: "reset", endpoint: "import-item", when: "after-commit", count: 1 });
    await kit.uploadAll(await kit.openSession());

    expect(await kit.reconcile()).toMatchObject({ imported: 0, ambiguous: 1, surplus: 0 });
    const live = new Set((await kit.items()).map(({ id }) => id));
    const [unclear] = (await reportOf(kit)).items;
    expect(unclear).toMatchObject({ outcome: "ambiguous", code: "copy-of-unknown-origin" });
    for (const id of unclear?.lookAt ?? [""]) expect(live).toContain(id);
  });
});

test("reconcile-restore reports the items of a folder that somebody deleted as missing", async () => {
  const kit = await aRestore({ items: 3 });
  const { chunks } = await kit.plan({ target: "new-folder", select: { folders: ["Inbox"] } });
  await kit.makeFolders();
  await kit.upload(await kit.openSession(), { pending: [{ from: 0, to: chunks }] });
  const folders = await kit.admin.folders({ mailbox: kit.mailbox.id });
  const top = folders.find(({ displayName }) => displayName.startsWith("Restored"));
  const below = folders.find(({ parentId }) => parentId === top?.id);
  await kit.admin["remove-folder"]({ mailbox: kit.mailbox.id, folder: below?.id ?? "" });

  expect(await kit.reconcile()).toMatchObject({ imported: 0, missing: 3 });
  expect((await kit.report()).items).toHaveLength(3);
});

test("upload-wave goes on when a folder is deleted while the fate of an import is unclear", async () => {
  const kit = await aRestore({ items: 3 });
  const { chunks } = await kit.plan({ target: "new-folder", select: { folders: ["Inbox"] } });
  await kit.makeFolders();
  const folders = await kit.admin.folders({ mailbox: kit.mailbox.id });
  const top = folders.find(({ displayName }) => displayName.startsWith("Restored"));
  const below = folders.find(({ parentId }) => parentId === top?.id);
  await kit.fault({ kind: "reset", endpoint: "import-item", when: "before", count: 3 });
  await kit.admin["remove-folder"]({ mailbox: kit.mailbox.id, folder: below?.id ?? "" });

  const done = await kit.upload(await kit.openSession(), { pending: [{ from: 0, to: chunks }] });

  expect(done).toMatchObject({ imported: 0, failed: 3, left: [] });
  expect(await kit.reconcile()).toMatchObject({ imported: 0, failed: 3 });
});
