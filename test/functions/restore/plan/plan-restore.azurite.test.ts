import { describe, expect, test } from "vitest";
import { makeWish } from "../../../../functions/jobs/wishes.ts";
import { findRestoreReport } from "../../../../functions/restore/report/restore-report.ts";
import {
  findRestorePlan,
  keepSelection,
  readFolderMap,
  readRestoreChunk,
  readRestorePlan,
} from "../../../../functions/restore/restore-state.ts";
import { restoreInstance } from "../../../../shared/contracts/job-ids.ts";
import { itemTime } from "../../../../shared/vault/item-filter.ts";
import { anotherMailbox, aRestoreId } from "../../kit.ts";
import { aRestore, contents, copyFirstItem, plannedChunks } from "../a-restore.ts";

const anotherId = "20261122T103000Z-abc234";

describe("plan-restore", () => {
  test("plans nothing when every item is in its folder", async () => {
    const kit = await aRestore({ items: 20 });

    expect(await kit.plan()).toMatchObject({ items: 0, present: 20, bytes: 0, chunks: 0, foldersToCreate: 0 });
  });

  test("plans the missing items, newest first, and leaves the others", async () => {
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

  test.each(["pause", "cancel"] as const)("asks Graph nothing, and leaves no plan, when told to %s", async (wish) => {
    const kit = await aRestore();
    const job = restoreInstance(aRestoreId);
    await makeWish(kit.work, job, wish, new Date());
    const { requests } = await kit.admin.counters({});

    await expect(kit.plan({ jobs: [job] })).rejects.toThrow("was told to stop");
    expect((await kit.admin.counters({})).requests).toEqual(requests);
    expect(await findRestorePlan(kit.work, aRestoreId)).toBeUndefined();
  });

  test("counts copies: plans two when two of three are gone", async () => {
    const kit = await aRestore({ items: 1 }, { prepare: (mailbox) => copyFirstItem(mailbox, 2) });
    const [one, two] = await kit.items();
    for (const item of [one, two]) await kit.admin["remove-item"]({ mailbox: kit.mailbox.id, item: item?.id ?? "" });

    expect(await kit.plan()).toMatchObject({ items: 2, present: 1 });
  });

  test.each([
    ["Detected Items", "Detected Items"],
    ["Projects", "projects"],
  ])("keeps the items of two folders named %s and %s apart", async (...names) => {
    const folders: string[] = [];
    const prepare = async ({ admin, mailbox }: Parameters<typeof copyFirstItem>[0]) => {
      for (const displayName of names) {
        const { id } = await admin["create-folder"]({ mailbox: mailbox.id, displayName });
        await admin["create-items"]({ mailbox: mailbox.id, folder: id, count: 3 });
        folders.push(id);
      }
    };
    const kit = await aRestore({ items: 1 }, { prepare });
    const [first = "", second = ""] = folders;
    expect(await kit.plan({ restoreId: anotherId })).toMatchObject({ items: 0, present: 7, foldersToCreate: 0 });
    const lost = await kit.items(second);
    await kit.admin["remove-folder"]({ mailbox: kit.mailbox.id, folder: second });

    expect(await kit.plan()).toMatchObject({ items: 3, present: 4, foldersToCreate: 1 });
    await kit.makeFolders();
    await kit.upload(await kit.openSession());

    expect(await kit.items(first)).toHaveLength(3);
    const made = (await readFolderMap(kit.work, aRestoreId))[second] ?? "";
    expect(contents(await kit.items(made))).toEqual(contents(lost));
    expect(await kit.admin.folders({ mailbox: kit.mailbox.id })).toContainEqual(
      expect.objectContaining({ id: made, displayName: `${names[1]} (2)` }),
    );
  });

  test("finds a folder that was renamed since, and reports where it is", async () => {
    let id = "";
    const prepare = async ({ admin, mailbox }: Parameters<typeof copyFirstItem>[0]) => {
      ({ id } = await admin["create-folder"]({ mailbox: mailbox.id, displayName: "Projects" }));
      await admin["create-items"]({ mailbox: mailbox.id, folder: id, count: 3 });
    };
    const kit = await aRestore({ items: 1 }, { prepare });
    await kit.admin["change-folder"]({ mailbox: kit.mailbox.id, folder: id, displayName: "Clients" });
    const [lost] = await kit.items(id);
    await kit.admin["remove-item"]({ mailbox: kit.mailbox.id, item: lost?.id ?? "" });

    expect(await kit.plan()).toMatchObject({ items: 1, present: 3, foldersToCreate: 0 });
    await kit.makeFolders();
    await kit.upload(await kit.openSession());
    await kit.reconcile();

    expect(await kit.items(id)).toHaveLength(3);
    const report = await findRestoreReport(kit.work, aRestoreId);
    expect(report?.folders.find(({ folderId }) => folderId === id)).toMatchObject({ path: "Clients", imported: 1 });
  });

  test("plans an item that was moved to another folder", async () => {
    const kit = await aRestore({ items: 3 });
    const [first] = await kit.items();
    await kit.admin["move-item"]({ mailbox: kit.mailbox.id, item: first?.id ?? "", folder: "archive" });

    expect(await kit.plan()).toMatchObject({ items: 1, present: 2 });
  });

  test("plans all items for a new folder, in chunks of fifty", async () => {
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

  test("keeps the first plan when it is delivered again", async () => {
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

describe("plan-restore, in order", () => {
  test("plans newest first across all folders", async () => {
    const kit = await aRestore({ items: 130, layout: "typical", userFolders: 3 });

    await kit.plan({ target: "new-folder" });

    const chunks = await plannedChunks(kit);
    const times = chunks.flat().map((item) => Date.parse(itemTime(item) ?? ""));
    expect(times).toEqual(times.toSorted((a, b) => b - a));
    expect(new Set(chunks[0]?.map(({ folderId }) => folderId)).size).toBeGreaterThan(1);
  });

  test("plans copies of one item for one chunk, even when their times are far apart", async () => {
    const kit = await aRestore({ items: 70 }, { prepare: (mailbox) => copyFirstItem(mailbox, 2) });

    await kit.plan({ target: "new-folder" });

    const chunks = await plannedChunks(kit);
    const all = chunks.flat();
    const copied = all.find(({ searchKey }, n) => all.findIndex((item) => item.searchKey === searchKey) !== n);
    const isCopy = ({ searchKey }: { searchKey?: string | undefined }) => searchKey === copied?.searchKey;
    expect(all.filter(isCopy)).toHaveLength(3);
    expect(chunks.filter((chunk) => chunk.some(isCopy))).toHaveLength(1);
  });
});

describe("plan-restore, of a selection in scratch data", () => {
  test("plans the items that it names, and folders only for these", async () => {
    const kit = await aRestore({ items: 40, layout: "typical" });
    const [one] = await kit.items();
    const [other] = await kit.items("sentitems");
    const wanted = [one?.id ?? "", (other?.id ?? "").replaceAll("-", "/").replaceAll("_", "+")];

    const select = await keepSelection(kit.work, aRestoreId, { items: wanted });
    const plan = await kit.plan({ target: "new-folder", select });

    expect(select).toEqual({ kept: true });
    expect(plan).toMatchObject({ items: 2, folders: 3, foldersToCreate: 3 });
    expect(new Set((await plannedChunks(kit)).flat().map(({ id }) => id))).toEqual(new Set([one?.id, other?.id]));
  });

  test("plans the items that a query finds", async () => {
    const kit = await aRestore({ items: 40, layout: "typical" });
    const [one] = await kit.items("sentitems");

    const query = { q: one?.subject?.toUpperCase() ?? "", folder: "sentitems", from: "2000-01-01" };
    await kit.plan({ target: "new-folder", select: await keepSelection(kit.work, aRestoreId, { query }) });

    const planned = (await plannedChunks(kit)).flat();
    expect(planned.map(({ id }) => id)).toContain(one?.id);
    expect(planned.every(({ subject, folderId }) => subject === one?.subject && folderId === one?.folderId)).toBe(true);
  });

  test("plans the items that were removed since a moment, and not those that were moved", async () => {
    const kit = await aRestore({ items: 6 });
    const [gone, moved] = await kit.items();
    await kit.admin["remove-item"]({ mailbox: kit.mailbox.id, item: gone?.id ?? "" });
    await kit.admin["move-item"]({ mailbox: kit.mailbox.id, item: moved?.id ?? "", folder: "archive" });
    await kit.backUp();

    const query = { removedSince: new Date(0).toISOString() };
    await kit.plan({ target: "new-folder", select: await keepSelection(kit.work, aRestoreId, { query }) });

    expect((await plannedChunks(kit)).flat().map(({ id }) => id)).toEqual([gone?.id]);
  });
});

describe("plan-restore, when the target has copies", () => {
  const changed = async () => {
    const kit = await aRestore({ items: 5 });
    const [gone, other] = await kit.items();
    await kit.admin["remove-item"]({ mailbox: kit.mailbox.id, item: gone?.id ?? "" });
    const { id } = await kit.admin["change-item"]({ mailbox: kit.mailbox.id, item: other?.id ?? "", subject: "New" });
    return { ...kit, gone, changedId: id };
  };

  test("skips them by default, changed or not", async () => {
    const kit = await changed();

    expect(await kit.plan()).toMatchObject({ items: 1, present: 4, replaced: 0 });
    expect((await plannedChunks(kit)).flat()).toEqual([expect.not.objectContaining({ replaces: expect.anything() })]);
  });

  test("plans duplicates of all, without listing the target", async () => {
    const kit = await changed();
    const listings = async () => (await kit.admin.counters({})).requests["items"];
    const before = await listings();

    expect(await kit.plan({ onConflict: "duplicate" })).toMatchObject({ items: 5, present: 0, replaced: 0 });
    expect(await listings()).toBe(before);
    await kit.plan({ restoreId: anotherId });
    expect(await listings()).not.toBe(before);
  });

  test("plans to replace the copy that differs, by its live id and change key, and leaves the others", async () => {
    const kit = await changed();

    expect(await kit.plan({ onConflict: "replace" })).toMatchObject({ items: 2, present: 3, replaced: 1 });
    const planned = (await plannedChunks(kit)).flat();
    const replacing = planned.find(({ replaces }) => replaces !== undefined);
    expect(planned.map(({ id }) => id)).toContain(kit.gone?.id);
    expect(replacing?.replaces?.id).toBe(kit.changedId);
    expect(replacing?.replaces?.changeKey).not.toBe(replacing?.changeKey);
  });
});

describe("plan-restore, for another mailbox", () => {
  test("finds its folders by well-known name, and counts its items", async () => {
    const kit = await aRestore({ items: 4 }, { intoOf: anotherMailbox });

    expect(await kit.plan()).toMatchObject({ items: 4, present: 0, foldersToCreate: 0 });
    const live = await kit.admin.folders({ mailbox: kit.into?.id ?? "" });
    const inbox = live.find(({ wellKnownName }) => wellKnownName === "inbox");
    const { folders } = await readRestorePlan(kit.work, aRestoreId);
    expect(folders.map(({ liveId }) => liveId)).toContain(inbox?.id);
  });
});

describe("plan-restore, as a forecast", () => {
  test("returns the number of requests, the time, its bound, and the time assumed of a request", async () => {
    const kit = await aRestore({ items: 30 });

    const { items, folders, secondsPerRequest = Number.NaN, ...plan } = await kit.plan({ target: "new-folder" });

    const others = 2 * folders + 1 + folders;
    const expectedSeconds = Math.ceil((items / 4 + others) * secondsPerRequest);
    expect(plan).toMatchObject({ requests: items + others, expectedSeconds, boundBy: "slots" });
  });

  test("counts neither folders to create nor a session when nothing is missing", async () => {
    const kit = await aRestore({ items: 2 });

    const { folders, requests } = await kit.plan();

    expect(requests).toBe(folders);
  });

  test.each([1, 2, 4])(
    "lists the folders of the target with as many requests at once as it has slots: %i",
    async (slots) => {
      const kit = await aRestore({ items: 2, layout: "typical", userFolders: 12 });
      await kit.admin["reset-counters"]({});
      await kit.admin.settings({ latencyMs: 5 });

      await kit.plan({ slots });

      const { mailboxes } = await kit.admin.counters({});
      expect(mailboxes[kit.mailbox.id]?.highestConcurrency).toBe(slots);
    },
  );

  test("adopts the plan of a dry run as it was reviewed, with its chunks", async () => {
    const kit = await aRestore({ items: 60 });
    const reviewed = await kit.plan({ target: "new-folder" });
    await kit.admin["create-items"]({ mailbox: kit.mailbox.id, folder: "inbox", count: 1 });
    const names = [...kit.work.blobs.keys()];

    const plan = await kit.plan({ target: "new-folder", restoreId: anotherId, planOf: aRestoreId });

    expect(plan).toEqual(reviewed);
    expect(await plannedChunks(kit, anotherId)).toEqual(await plannedChunks(kit));
    expect([...kit.work.blobs.keys()].filter((name) => !names.includes(name))).toEqual([
      `restore-${anotherId}/plan.json`,
    ]);
  });

  test("fails when the plan of the dry run has expired", async () => {
    const kit = await aRestore({ items: 1 });

    await expect(kit.plan({ restoreId: anotherId, planOf: aRestoreId })).rejects.toThrow(
      `Restore ${aRestoreId} has no plan`,
    );
  });
});

describe("ensure-folders", () => {
  test("creates missing folders, parents first, and nothing when it is delivered again", async () => {
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

  test("finds the folders of a delivery that crashed before its end", async () => {
    const kit = await aRestore({ items: 5, layout: "typical" });
    await kit.plan({ target: "new-folder" });
    await kit.makeFolders();
    const map = await readFolderMap(kit.work, aRestoreId);
    await kit.work.remove(`restore-${aRestoreId}/folders.json`);

    expect(await kit.makeFolders()).toEqual({ created: 0 });
    expect(await readFolderMap(kit.work, aRestoreId)).toEqual(map);
  });

  test("creates nothing for items that go back to their folders", async () => {
    const kit = await aRestore({ items: 5 });
    await kit.plan();

    expect(await kit.makeFolders()).toEqual({ created: 0 });
  });
});
