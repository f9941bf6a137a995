import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { rebuild } from "../../../cli/rebuild.ts";
import { forgetAndPrune } from "../../../functions/retention/forget-and-prune.ts";
import { type GraphEmulator, startGraphEmulator } from "../../../local/graph/emulator.ts";
import type { MailboxRef } from "../../../shared/contracts/mailbox.ts";
import { RetentionPolicy } from "../../../shared/retention-policy.ts";
import type { Blobs } from "../../../shared/storage/blobs.ts";
import { findingList } from "../../../shared/vault/finding.ts";
import { foldSnapshot } from "../../../shared/vault/fold.ts";
import { mailboxKey } from "../../../shared/vault/mailbox-key.ts";
import { readItem, readPackIndex } from "../../../shared/vault/pack-reader.ts";
import type { PutRecord } from "../../../shared/vault/records.ts";
import { nameSnapshots, readManifest } from "../../../shared/vault/snapshots.ts";
import { keptSnapshots, verifyMailbox } from "../../../shared/vault/verify-mailbox.ts";
import { verifySnapshot } from "../../../shared/vault/verify-snapshot.ts";
import { memoryBlobs } from "../../shared/storage/memory-blobs.ts";
import { all } from "../../shared/vault/samples.ts";
import { runBackup } from "../../support/backup-run.ts";
import { mortalBlobs } from "../../support/mortal-blobs.ts";

let emulator: GraphEmulator;
let mailboxes = 0;

beforeAll(async () => {
  emulator = await startGraphEmulator();
});
afterAll(() => emulator.stop());

/** A mailbox with items in its inbox that was backed up once, and what may happen to it. */
const aStoredMailbox = async (items: number, bytes = 4_000) => {
  mailboxes += 1;
  const { admin, graphUrl } = emulator;
  const { mailboxId = "", userId } = await admin["add-mailbox"]({
    kind: "generated",
    userPrincipalName: `mover-${mailboxes}@contoso.example`,
    items: 0,
    userFolders: 1,
  });
  const mailbox: MailboxRef = { key: mailboxKey(mailboxId), id: mailboxId, kind: "primary", userId };
  const [vault, work, state] = [memoryBlobs(), memoryBlobs(), memoryBlobs()];
  const place = { graphUrl, token: "emulator-token", vault, work, state };
  const { key } = mailbox;
  const { ids } = await admin["create-items"]({ mailbox: mailboxId, folder: "inbox", count: items, bytes });

  const now = async () => {
    const found: string[] = [];
    for await (const item of await admin.items({ mailbox: mailboxId }))
      found.push(`${item.folderId} ${item.id} ${item.sha256}`);
    return found.toSorted();
  };
  /** What a snapshot has, read from its packs. */
  const restored = async (id: string, blobs = vault) => {
    const records = await all(foldSnapshot(blobs, key, id));
    for (const record of records) await all(readItem(vault, record));
    return records.map((record) => `${record.folderId} ${record.id} ${record.sha256}`).toSorted();
  };
  const packs = () => [...vault.blobs.keys()].filter((name) => /packs.*\/c\d{1,8}-/.test(name));
  const back = (blobs: Blobs = vault, options: Parameters<typeof runBackup>[2] = {}) =>
    runBackup({ ...place, vault: blobs }, mailbox, options);
  const move = async (count: number, folder: string) => {
    const moved = ids.splice(0, count);
    for (const item of moved) ids.push((await admin["move-item"]({ mailbox: mailboxId, item, folder })).id);
  };
  const verified = async () => {
    const list = findingList();
    const totals = await verifyMailbox(vault, key, list.report);
    return { ...totals, findings: list.findings };
  };
  const first = await back();
  return { key, vault, place, mailbox, first, now, restored, packs, back, move, verified, admin };
};

describe("moved items", () => {
  test("are recorded anew, and their bytes are not stored again", async () => {
    const { vault, first, now, restored, packs, back, move, key } = await aStoredMailbox(100);
    const before = packs();
    await move(100, "archive");

    const second = await back();

    expect(second).toMatchObject({ state: "complete", totals: { exported: 100, removed: 100, storedBytes: 0 } });
    expect(await restored(second.snapshotId)).toEqual(await now());
    expect(second.bytes).toBe(first.bytes);
    const { counts } = (await readManifest(vault, key, second.snapshotId))?.manifest ?? {};
    expect(counts).toMatchObject({ put: 100, storedBytes: 0, rawBytes: first.bytes });
    const added = packs().filter((name) => !before.includes(name));
    expect(added).toHaveLength(5);
    for (const name of added) {
      const puts = (await readPackIndex(vault, name))?.map((record) => record as PutRecord) ?? [];
      expect(puts.every(({ pack, recordedIn }) => before.includes(pack) && recordedIn === name)).toBe(true);
      expect(vault.blobs.get(name)?.body.includes("0.fts")).toBe(false);
    }
  });

  test("are not stored again where they are longer than what is held in memory", async () => {
    const { now, restored, packs, back, move, verified, admin, mailbox, vault } = await aStoredMailbox(3, 1_500_000);
    const before = packs();
    await move(3, "archive");
    await admin["create-items"]({ mailbox: mailbox.id, folder: "archive", count: 5, bytes: 900 });
    await admin["create-items"]({ mailbox: mailbox.id, folder: "archive", count: 1, bytes: 1_200_000 });

    const second = await back();

    expect(await restored(second.snapshotId)).toEqual(await now());
    expect(await verified()).toMatchObject({ items: 9, findings: [] });
    const added = packs().filter((name) => !before.includes(name));
    const bytes = added.reduce((sum, name) => sum + (vault.blobs.get(name)?.body.length ?? 0), 0);
    expect(bytes - second.totals.storedBytes).toBeLessThan(10_000);
    expect(second.totals.storedBytes).toBeLessThan(1_300_000);
  });

  test("are stored again where they have changed too", async () => {
    const { now, restored, back, move, admin, mailbox } = await aStoredMailbox(4);
    await move(4, "archive");
    const [changed = ""] = (await now()).map((line) => line.split(" ")[1] ?? "");
    await admin["change-item"]({ mailbox: mailbox.id, item: changed, bytes: 700 });

    const second = await back();

    expect(await restored(second.snapshotId)).toEqual(await now());
    expect(second.totals.storedBytes).toBeGreaterThan(0);
    expect(second.totals.storedBytes).toBeLessThanOrEqual(second.totals.bytes / 4);
  });

  test("are stored again where what is stored of them turns out to be damaged, which is noted", async () => {
    const { vault, place, now, restored, packs, back, move, verified } = await aStoredMailbox(4);
    const [pack = ""] = packs();
    const body = vault.blobs.get(pack)?.body ?? Buffer.alloc(0);
    body[200] = (body[200] ?? 0) ^ 1;
    await move(4, "archive");

    const second = await back();

    expect(await restored(second.snapshotId)).toEqual(await now());
    expect(second.totals.storedBytes).toBeGreaterThan(0);
    expect(second.totals.storedBytes).toBeLessThan(second.totals.bytes / 2);
    expect(new Set((await verified()).findings.map(({ blob }) => blob))).toEqual(new Set([pack]));
    expect([...place.work.blobs.keys()]).toContain(`damaged/${pack}`);
  });

  test("are found where they lie after the older snapshot has been forgotten, and checked once", async () => {
    const { vault, key, now, restored, packs, back, move, verified, first } = await aStoredMailbox(45);
    await move(30, "archive");
    const second = await back();
    const policy = RetentionPolicy.parse("last=1");
    const state = memoryBlobs();
    for (const nowMs of [0, 25 * 3_600_000].map((later) => Date.UTC(2027, 0, 1) + later))
      await forgetAndPrune({ vault, remove: vault.remove, state, policy }, key, {
        nowMs,
        isLate: () => false,
        isRunning: async () => false,
        inUse: async () => () => false,
      });

    expect((await nameSnapshots(vault, key)).manifests).toEqual([second.snapshotId]);
    expect(packs().filter((name) => name.includes(first.snapshotId))).toHaveLength(3);
    expect(await restored(second.snapshotId)).toEqual(await now());
    const all = [...vault.blobs.keys()].filter((name) => name.endsWith(".zip"));
    expect(await verified()).toMatchObject({ packs: all.length, items: 45, findings: [] });
    const target = memoryBlobs();
    await rebuild(vault, target, silent, undefined);
    expect(await restored(second.snapshotId, target)).toEqual(expect.arrayContaining(await now()));
  });

  test("are live in a catalogue that is rebuilt from packs as in the one that was lost", async () => {
    const { vault, now, restored, back, move, first } = await aStoredMailbox(25);
    const before = await restored(first.snapshotId);
    await move(25, "archive");
    const second = await back();
    await move(12, "inbox");
    const third = await back();
    const target = memoryBlobs();

    expect(await rebuild(vault, target, silent, undefined)).toBe(0);

    expect(await restored(first.snapshotId, target)).toEqual(before);
    expect(await restored(second.snapshotId, target)).toEqual(await restored(second.snapshotId));
    expect(await restored(third.snapshotId, target)).toEqual(await now());
  });

  test("are found damaged once, with the snapshot that stored them", async () => {
    const { vault, key, packs, back, move, first } = await aStoredMailbox(20);
    const [pack = ""] = packs();
    await move(10, "archive");
    await back();
    const body = vault.blobs.get(pack)?.body ?? Buffer.alloc(0);
    body[200] = (body[200] ?? 0) ^ 1;

    const found: [string, string][] = [];
    for (const snapshot of await keptSnapshots(vault, key))
      await verifySnapshot(vault, snapshot, { report: ({ blob }) => found.push([snapshot.id, blob]) });

    expect(found).toEqual([[first.snapshotId, pack]]);
  });

  test.each(
    [1, 2, 3, 4, 5, 6].flatMap((write) => [
      { write, after: false },
      { write, after: true },
    ]),
  )("are stored once where the process dies at write $write of the vault, after it: $after", async (death) => {
    const { vault, now, restored, back, move, verified } = await aStoredMailbox(45);
    await move(45, "archive");

    const second = await back(mortalBlobs([death])(vault), { waveMs: 1, wanders: true });

    expect(second).toMatchObject({ state: "complete", totals: { exported: 45, storedBytes: 0 } });
    expect(await restored(second.snapshotId)).toEqual(await now());
    expect(await verified()).toMatchObject({ items: 45, findings: [] });
  });
});

const silent = { print: () => undefined, warn: () => undefined };
