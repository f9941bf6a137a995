import { describe, expect, test } from "vitest";
import { writeParts } from "../../../functions/backup/commit/own-records.ts";
import { folderScope } from "../../../functions/backup/plan/folder-scope.ts";
import { compactSnapshot } from "../../../shared/vault/compact.ts";
import { foldSnapshot } from "../../../shared/vault/fold.ts";
import { folderRecord, readFolders } from "../../../shared/vault/folders.ts";
import { manifestBytes, manifestSha256 } from "../../../shared/vault/manifest.ts";
import { manifestName } from "../../../shared/vault/names.ts";
import { readPart } from "../../../shared/vault/part-reader.ts";
import { MAX_PART_RECORDS } from "../../../shared/vault/part-writer.ts";
import type { FolderRecord } from "../../../shared/vault/records.ts";
import { moveHead, readManifest } from "../../../shared/vault/snapshots.ts";
import { verifyMailbox } from "../../../shared/vault/verify-mailbox.ts";
import { memoryBlobs } from "../../shared/storage/memory-blobs.ts";
import { aKey, all, aSnapshot } from "../../shared/vault/samples.ts";
import { runBackup } from "../../support/backup-run.ts";
import { aMailboxInGraph } from "../kit.ts";
import { anOpenedRun } from "./export/an-opened-run.ts";

const aMailbox = async (userFolders = 12) => {
  const kit = await aMailboxInGraph({ items: 60, layout: "typical", userFolders });
  const { admin, emulator, mailbox, vault, work } = kit;
  const place = { graphUrl: emulator.graphUrl, token: "emulator-token", vault, work };
  const backUp = (options: Parameters<typeof runBackup>[2] = {}) => runBackup(place, mailbox, options);
  const manifestOf = async (id: string) =>
    (await readManifest(vault, mailbox.key, id)) ?? expect.fail("there is no manifest");
  /** The folder records of a snapshot's own parts, and whether any other part has one. */
  const told = async (id: string) => {
    const records: FolderRecord[] = [];
    for (const part of (await manifestOf(id)).manifest.parts)
      for await (const record of readPart(vault, part)) {
        expect(record.op === "folder").toBe(part.folders === true);
        if (record.op === "folder") records.push(record);
      }
    return records;
  };
  const live = async () =>
    (await admin.folders({ mailbox: mailbox.id })).map(({ id, displayName }) => `${id} ${displayName}`).toSorted();
  const named = async (id: string) =>
    (await readFolders(vault, mailbox.key, id)).folders.map((each) => `${each.id} ${each.displayName}`).toSorted();
  const stored = async (id: string) =>
    (await all(foldSnapshot(vault, mailbox.key, id))).map((item) => `${item.folderId} ${item.id}`).toSorted();
  const asked = async (endpoint: string) => (await admin.counters({})).requests[endpoint] ?? 0;
  return { ...kit, backUp, manifestOf, told, live, named, stored, asked };
};

type Kit = Awaited<ReturnType<typeof aMailbox>>;

/** Has a snapshot be as version 1 wrote it: its manifest names all folders. */
const asVersion1 = async ({ vault, mailbox, manifestOf }: Kit, id: string): Promise<void> => {
  const { manifest } = await manifestOf(id);
  if (manifest.v === 1) throw new Error("it is of version 1 already");
  const { folders: _f, problems: _p, ...counts } = manifest.counts;
  const folders = await readFolders(vault, mailbox.key, id);
  const parts = manifest.parts.map(({ folders: _, ...part }) => part);
  const before = { ...manifest, v: 1 as const, counts, parts, ...folders } as Parameters<typeof manifestBytes>[0];
  const bytes = manifestBytes(before);
  await vault.remove(manifestName(mailbox.key, id));
  await vault.create(manifestName(mailbox.key, id), bytes);
  await moveHead(vault, mailbox.key, (head) => {
    if (!head?.newest) throw new Error("there is no head");
    return { ...head, newest: { ...head.newest, manifestSha256: manifestSha256(bytes) } };
  });
};

/** One night's changes of folders: one is new, one renamed, one gone. */
const changeFolders = async ({ admin, mailbox }: Kit, night: number) => {
  const change = { mailbox: mailbox.id, folder: `user-${night}` };
  await admin["create-folder"]({ mailbox: mailbox.id, parent: "inbox", displayName: `New ${night}` });
  await admin["change-folder"]({ ...change, displayName: `Renamed ${night}` });
  await admin["remove-folder"]({ ...change, folder: `user-${11 - night}` });
};

describe("the folders of a snapshot", () => {
  test("are told by the first one, and by later ones where they changed, in parts of their own", async () => {
    const kit = await aMailbox();
    const first = await kit.backUp();
    expect(await kit.told(first.snapshotId)).toHaveLength((await kit.live()).length);

    await kit.admin["create-items"]({ mailbox: kit.mailbox.id, folder: "inbox", count: 1 });
    const second = await kit.backUp();

    const [inbox, ...others] = await kit.told(second.snapshotId);
    expect(others).toEqual([]);
    expect(inbox).toMatchObject({ wellKnownName: "inbox", itemCount: (await kit.items()).length });
    expect(await kit.named(second.snapshotId)).toEqual(await kit.live());
  });

  test("are those of the mailbox after every night, with or without a base, and after version 1", async () => {
    const kit = await aMailbox();
    const snapshots = new Map<string, string[]>();
    const note = async () => {
      const { snapshotId: id } = await kit.backUp();
      snapshots.set(id, await kit.live());
      return id;
    };
    await asVersion1(kit, await note());
    await changeFolders(kit, 1);
    await note();
    await changeFolders(kit, 2);
    const third = await note();
    await changeFolders(kit, 3);
    await note();
    const expectAll = async () => {
      for (const [id, folders] of snapshots) expect(await kit.named(id)).toEqual(folders);
    };

    await expectAll();
    const links = await readFolders(kit.vault, kit.mailbox.key, third);
    await compactSnapshot(kit.vault, kit.mailbox.key, third, 5);
    await expectAll();
    expect(await readFolders(kit.vault, kit.mailbox.key, third)).toEqual(links);
    await verifyMailbox(kit.vault, kit.mailbox.key, (finding) => expect.fail(JSON.stringify(finding)));
  });

  test("keep the deltaLink of a folder without changes: no later night lists it again", async () => {
    const kit = await aMailbox();
    await kit.backUp();
    const listed = await kit.asked("items");
    const stored: string[] = [];
    for (const folder of ["inbox", "drafts", "inbox"]) {
      const { ids } = await kit.admin["create-items"]({ mailbox: kit.mailbox.id, folder, count: 1 });
      stored.push(...ids);
      expect((await kit.backUp()).totals.exported).toBe(1);
    }

    expect(await kit.asked("items")).toBe(listed);
    const quiet = await kit.backUp();
    expect(quiet.quiet).toBe(true);
    const planned = [...kit.work.blobs].filter(([name]) => name.includes(`${quiet.runId}/plan/`));
    expect(planned.length).toBeGreaterThan(0);
    expect(planned.filter(([, { body }]) => body.includes("deltatoken"))).toEqual([]);
  });

  test("lose their items when they are backed up no more, and have them again when they are", async () => {
    const kit = await aMailbox();
    await kit.admin["create-items"]({ mailbox: kit.mailbox.id, folder: "drafts", count: 3 });
    const id = await kit.folderId("drafts");
    const without = { folderScope: folderScope(["drafts"]) };
    const whole = await kit.backUp();
    const before = await kit.stored(whole.snapshotId);

    const fewer = await kit.backUp(without);
    expect((await kit.stored(fewer.snapshotId)).filter((item) => item.startsWith(id))).toEqual([]);
    expect(await kit.stored(whole.snapshotId)).toEqual(before);
    expect(await kit.told(fewer.snapshotId)).toContainEqual(expect.objectContaining({ id, outside: true }));
    expect(await kit.backUp(without)).toMatchObject({ quiet: true });

    const again = await kit.backUp();
    expect(await kit.stored(again.snapshotId)).toEqual(before);
  });
});

describe("the parts of a commit", () => {
  test("are as many as the records need, and the same when they are written again", async () => {
    const vault = memoryBlobs();
    const facts = { displayName: "F", path: "F", type: "IPF.Note", itemCount: 0 };
    const records = Array.from({ length: MAX_PART_RECORDS + 1 }, (_, n) => folderRecord({ id: `${n}`, ...facts }));

    const parts = await writeParts(vault, aKey, aSnapshot, "folders", records);
    expect(parts.map((part) => part.records)).toEqual([MAX_PART_RECORDS, 1]);
    expect(await writeParts(vault, aKey, aSnapshot, "folders", records)).toEqual(parts);
  });

  test("are those of the folders that the run found, though the commit was killed at any of its writes", async () => {
    const kit = await anOpenedRun({ items: 12, userFolders: 3 });
    const { vault, mailbox, commit } = kit;
    const done = await kit.wave();
    const live = await kit.admin.folders({ mailbox: mailbox.id });
    await kit.admin["create-folder"]({ mailbox: mailbox.id, displayName: "Made meanwhile" });
    const { create, replace } = vault;
    let left = 0;
    const dying =
      <A extends unknown[], R>(write: (...args: A) => Promise<R>) =>
      async (...args: A): Promise<R> => {
        if (left === 0) throw new Error("killed");
        left -= 1;
        return write(...args);
      };
    for (let killed = true, at = 0; killed; at += 1) {
      left = at;
      Object.assign(vault, { create: dying(create), replace: dying(replace) });
      killed = await commit([done]).then(
        () => false,
        () => true,
      );
    }

    Object.assign(vault, { create, replace });
    const id = (await commit([done])).snapshotId;
    const { folders } = await readFolders(vault, mailbox.key, id);
    expect(folders.map((folder) => folder.id).toSorted()).toEqual(live.map((folder) => folder.id).toSorted());
    expect(folders.map(({ deltaLink }) => deltaLink)).not.toContain(undefined);
    await verifyMailbox(vault, mailbox.key, (finding) => expect.fail(JSON.stringify(finding)));
  });
});
