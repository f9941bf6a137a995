import { describe, expect, test } from "vitest";
import { readFolderMap, readRestoreChunk, readRestorePlan } from "../../../shared/work/restore-state.ts";
import { aRestore, aRestoreId, copyFirstItem } from "./a-restore.ts";

describe("plan-restore", () => {
  test("plans nothing when all is in its place", async () => {
    const kit = await aRestore({ items: 20 });

    expect(await kit.plan()).toMatchObject({ items: 0, present: 20, bytes: 0, chunks: 0, foldersToCreate: 0 });
  });

  test("plans what is gone, newest first, and leaves what is there", async () => {
    const kit = await aRestore({ items: 20 });
    const items = await kit.items();
    const gone = items.slice(0, 7);
    for (const { id } of gone) await kit.admin["remove-item"]({ mailbox: kit.mailbox.id, item: id });

    const plan = await kit.plan();
    const chunk = await readRestoreChunk(kit.work, aRestoreId, await readRestorePlan(kit.work, aRestoreId), 0);

    expect(plan).toMatchObject({ items: 7, present: 13, chunks: 1 });
    expect(plan.bytes).toBe(gone.reduce((sum, { bytes }) => sum + bytes, 0));
    expect(new Set(chunk.map(({ id }) => id))).toEqual(new Set(gone.map(({ id }) => id)));
  });

  test("counts copies: two of three that are gone are planned", async () => {
    const kit = await aRestore({ items: 1 }, { prepare: (mailbox) => copyFirstItem(mailbox, 2) });
    const [one, two] = await kit.items();
    for (const item of [one, two]) await kit.admin["remove-item"]({ mailbox: kit.mailbox.id, item: item?.id ?? "" });

    expect(await kit.plan()).toMatchObject({ items: 2, present: 1 });
  });

  test("takes an item that was moved away for gone from its place", async () => {
    const kit = await aRestore({ items: 3 });
    const [first] = await kit.items();
    await kit.admin["move-item"]({ mailbox: kit.mailbox.id, item: first?.id ?? "", folder: "archive" });

    expect(await kit.plan()).toMatchObject({ items: 1, present: 2 });
  });

  test("plans all for a new folder, whatever is there, in chunks of fifty", async () => {
    const kit = await aRestore({ items: 120 });

    const plan = await kit.plan({ target: "new-folder" });

    expect(plan).toMatchObject({ items: 120, present: 0, chunks: 3 });
    expect(plan.foldersToCreate).toBe(plan.folders);
  });

  test("plans the selected folders only", async () => {
    const kit = await aRestore({ items: 40, layout: "typical" });
    const sent = await kit.items("sentitems");

    const plan = await kit.plan({ target: "new-folder", select: { folders: ["Sent Items"] } });

    expect(plan).toMatchObject({ items: sent.length, folders: 2, foldersToCreate: 2 });
  });

  test("keeps the plan that was finished first when it is delivered again", async () => {
    const kit = await aRestore({ items: 3 });

    const first = await kit.plan({ target: "new-folder" });
    const { generation } = await readRestorePlan(kit.work, aRestoreId);
    await kit.admin["create-items"]({ mailbox: kit.mailbox.id, folder: "inbox", count: 1 });

    expect(await kit.plan({ target: "new-folder" })).toEqual(first);
    expect((await readRestorePlan(kit.work, aRestoreId)).generation).toBe(generation);
  });

  test("refuses a snapshot that the vault does not have any more", async () => {
    const kit = await aRestore({ items: 1 });
    for (const name of [...kit.vault.blobs.keys()].filter((name) => name.includes("/snapshots/")))
      await kit.vault.remove(name);

    await expect(kit.plan()).rejects.toThrow(`Snapshot ${kit.snapshotId} is not in the vault any more`);
  });
});

describe("ensure-folders", () => {
  test("creates what is missing, parents first, and nothing when it is delivered again", async () => {
    const kit = await aRestore({ items: 30, layout: "typical", userFolders: 3 });
    const plan = await kit.plan({ target: "new-folder" });
    const before = await kit.admin.folders({ mailbox: kit.mailbox.id });

    expect(await kit.makeFolders()).toEqual({ created: plan.foldersToCreate });
    const map = await readFolderMap(kit.work, aRestoreId);
    expect(await kit.makeFolders()).toEqual({ created: 0 });

    const after = await kit.admin.folders({ mailbox: kit.mailbox.id });
    expect(await readFolderMap(kit.work, aRestoreId)).toEqual(map);
    expect(after).toHaveLength(before.length + plan.foldersToCreate);
    const top = after.find(({ displayName }) => displayName.startsWith("Restored "));
    expect(top).toMatchObject({ displayName: "Restored 2026-11-22 09.30 xyz567" });
    expect(after.find(({ parentId, displayName }) => parentId === top?.id && displayName === "Calendar")).toMatchObject(
      {
        type: "IPF.Appointment",
      },
    );
  });

  test("finds the folders that a delivery made which crashed before it could say so", async () => {
    const kit = await aRestore({ items: 5, layout: "typical" });
    await kit.plan({ target: "new-folder" });
    await kit.makeFolders();
    const map = await readFolderMap(kit.work, aRestoreId);
    await kit.work.remove(`restore-${aRestoreId}/folders.json`);

    expect(await kit.makeFolders()).toEqual({ created: 0 });
    expect(await readFolderMap(kit.work, aRestoreId)).toEqual(map);
  });

  test("creates nothing for items that go back where they were", async () => {
    const kit = await aRestore({ items: 5 });
    await kit.plan();

    expect(await kit.makeFolders()).toEqual({ created: 0 });
  });
});
