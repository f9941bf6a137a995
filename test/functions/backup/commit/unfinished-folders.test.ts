import { describe, expect, test } from "vitest";
import { foldSnapshot } from "../../../../shared/vault/fold.ts";
import { readFolders } from "../../../../shared/vault/folders.ts";
import { readProblems } from "../../../../shared/vault/problems.ts";
import { readManifest } from "../../../../shared/vault/snapshots.ts";
import { all } from "../../../shared/vault/samples.ts";
import { runBackup } from "../../../support/backup-run.ts";
import { aMailboxInGraph } from "../../kit.ts";

const FOLDERS = 6;

/** A mailbox of several folders with a few pages each, which is planned page by page. */
const aMailbox = async () => {
  const kit = await aMailboxInGraph({ items: 150, layout: "typical", userFolders: FOLDERS });
  await kit.admin.settings({ behaviours: { maxPageSize: 10 } });
  const { vault, work, mailbox, admin } = kit;
  const place = { graphUrl: kit.emulator.graphUrl, token: "emulator-token", vault, work };
  const backUp = (options: Parameters<typeof runBackup>[2] = {}) =>
    runBackup(place, mailbox, { waveMs: 1, ...options });
  const manifestOf = async (id: string) => {
    const found = await readManifest(vault, mailbox.key, id);
    if (found === undefined) throw new Error(`There is no snapshot ${id}`);
    return found.manifest;
  };
  const foldersOf = (id: string) => readFolders(vault, mailbox.key, id);
  const unfinishedIn = async (id: string) =>
    (await readProblems(vault, await manifestOf(id)))
      .filter(({ what }) => what.includes("not backed up to its end"))
      .map(({ folderId }) => folderId);
  const live = async (id: string) =>
    (await all(foldSnapshot(vault, mailbox.key, id))).map((item) => item.id).toSorted();
  const inMailbox = async () => {
    const items = await all(await admin.items({ mailbox: mailbox.id }));
    return items.map(({ id, folderId }) => ({ id, folderId }));
  };
  const ids = async () => (await inMailbox()).map(({ id }) => id).toSorted();
  return { ...kit, backUp, manifestOf, foldersOf, unfinishedIn, live, inMailbox, ids };
};

describe("a run that planned for its time", () => {
  test("commits what it stored as partial, and names the folders that are not finished", async () => {
    const { backUp, manifestOf, foldersOf, unfinishedIn, live } = await aMailbox();

    const run = await backUp({ planWaves: 12 });

    const { counts } = await manifestOf(run.runId);
    const { folders } = await foldersOf(run.runId);
    const unfinished = await unfinishedIn(run.runId);
    expect(run.state).toBe("partial");
    expect(unfinished.length).toBeGreaterThan(1);
    const unlinked = folders.filter(({ deltaLink }) => deltaLink === undefined);
    expect(new Set(unlinked.map(({ id }) => id))).toEqual(new Set(unfinished));
    expect(run.totals.exported).toBeGreaterThan(0);
    expect(counts.put).toBe(run.totals.exported);
    expect(await live(run.runId)).toHaveLength(run.totals.exported);
  });

  test("is followed by runs that export nothing again, until all is stored", async () => {
    const { backUp, live, ids, vault } = await aMailbox();

    let exported = 0;
    let run = await backUp({ planWaves: 12 });
    for (exported += run.totals.exported; run.state === "partial"; exported += run.totals.exported)
      run = await backUp({ planWaves: 24 });

    expect(exported).toBe(150);
    expect(await live(run.runId)).toEqual(await ids());
    expect(vault.writes.filter((write) => write.endsWith(".manifest.json")).length).toBeGreaterThan(2);
  });

  test("is followed by a run that completes it, though nothing has changed", async () => {
    const { backUp, unfinishedIn } = await aMailbox();
    await backUp();
    const cut = await backUp({ planWaves: 1 });
    expect(cut).toMatchObject({ state: "partial", totals: { exported: 0 } });

    const last = await backUp();

    expect(last).toMatchObject({ state: "complete", quiet: false, totals: { exported: 0 } });
    expect(await unfinishedIn(last.snapshotId)).toEqual([]);
    expect(await backUp()).toMatchObject({ quiet: true });
  });

  test("leaves folders that it did not come to as they were, with their delta links", async () => {
    const { backUp, foldersOf, unfinishedIn, live, inMailbox, ids, admin, mailbox, vault } = await aMailbox();
    const first = await backUp();
    const before = await live(first.runId);
    const folders = new Set((await inMailbox()).map(({ folderId }) => folderId));
    for (const folder of folders) await admin["create-items"]({ mailbox: mailbox.id, folder, count: 3, bytes: 400 });
    for (const { id } of (await inMailbox()).filter(({ id }) => before.includes(id)).slice(0, 140))
      await admin["remove-item"]({ mailbox: mailbox.id, item: id });

    const cut = await backUp({ planWaves: 2 });

    const unfinished = new Set(await unfinishedIn(cut.runId));
    const linkOf = async (id: string) =>
      new Map((await foldersOf(id)).folders.map((folder) => [folder.id, folder.deltaLink]));
    const [then, now] = [await linkOf(first.runId), await linkOf(cut.runId)];
    const stored = await all(foldSnapshot(vault, mailbox.key, first.runId));
    const cutLive = new Set(await live(cut.runId));
    expect(unfinished.size).toBeGreaterThan(1);
    for (const folder of unfinished) expect(now.get(folder ?? "")).toBe(then.get(folder ?? ""));
    for (const { id, folderId } of stored) if (unfinished.has(folderId)) expect(cutLive.has(id)).toBe(true);

    const last = await backUp();
    expect(last.state).toBe("complete");
    expect(await live(last.runId)).toEqual(await ids());
  });

  test("does not lose the items that an earlier run could not store", async () => {
    const { backUp, live, ids, inMailbox, fault, admin } = await aMailbox();
    const items = await inMailbox();
    await fault({ kind: "export-item", itemIds: items.map(({ id }) => id), outcome: "missing" });
    const failed = await backUp();
    expect(failed).toMatchObject({ state: "partial", totals: { failed: 150 } });
    await admin["clear-faults"]({});

    const cut = await backUp({ planWaves: 1 });
    expect(cut.state).toBe("partial");
    expect(cut.totals.exported).toBeLessThan(150);
    const last = await backUp();

    expect(cut.totals.exported + last.totals.exported).toBe(150);
    expect(last.state).toBe("complete");
    expect(await live(last.runId)).toEqual(await ids());
  });
});
