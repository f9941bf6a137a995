import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { mailboxesOfUser } from "../../../functions/backup/discover/mailboxes-of-user.ts";
import { type GraphEmulator, startGraphEmulator } from "../../../local/graph/emulator.ts";
import type { MailboxRef } from "../../../shared/contracts/mailbox.ts";
import { foldSnapshot } from "../../../shared/vault/fold.ts";
import { mailboxKey } from "../../../shared/vault/mailbox-key.ts";
import { readPart } from "../../../shared/vault/part-reader.ts";
import type { CatalogueRecord } from "../../../shared/vault/records.ts";
import { readHead, readManifest } from "../../../shared/vault/snapshots.ts";
import { memoryBlobs } from "../../shared/storage/memory-blobs.ts";
import { runBackup } from "../../support/backup-run.ts";

let emulator: GraphEmulator;
let mailboxes = 0;

beforeAll(async () => {
  emulator = await startGraphEmulator();
});
afterAll(() => emulator.stop());

const aMailbox = async (options: { items: number; userFolders: number }) => {
  mailboxes += 1;
  const user = await emulator.admin["add-mailbox"]({
    kind: "generated",
    userPrincipalName: `someone-${mailboxes}@contoso.example`,
    bytes: { fixed: 500 },
    ...options,
  });
  const id = user.mailboxId ?? "";
  const mailbox: MailboxRef = { key: mailboxKey(id), id, kind: "primary", userId: user.userId };
  const place = {
    graphUrl: emulator.graphUrl,
    token: "emulator-token",
    vault: memoryBlobs(),
    work: memoryBlobs(),
    state: memoryBlobs(),
  };
  return { mailbox, place, back: (options = {}) => runBackup(place, mailbox, options) };
};

const requests = async () => {
  const counters = await emulator.admin.counters({});
  return Object.values(counters.requests).reduce((sum, count) => sum + count, 0);
};

const ownRecords = async (vault: ReturnType<typeof memoryBlobs>, key: string, id: string) => {
  const records: CatalogueRecord[] = [];
  const found = await readManifest(vault, key, id);
  for (const part of found?.manifest.parts ?? [])
    for await (const record of readPart(vault, part)) records.push(record);
  return records;
};

describe("a run after the first", () => {
  test("sends few requests and stores nothing when nothing has changed in a hundred folders", async () => {
    const { mailbox, place, back } = await aMailbox({ items: 300, userFolders: 91 });
    const first = await back();
    const blobs = place.vault.blobs.size;
    await emulator.admin["reset-counters"]({});

    const quiet = await back();

    expect(quiet).toMatchObject({ quiet: true, snapshotId: first.snapshotId, items: first.items });
    expect(await requests()).toBeLessThanOrEqual(105);
    expect(place.vault.blobs.size).toBe(blobs);
    const head = await readHead(place.vault, mailbox.key);
    expect(Date.parse(head?.checkedAt ?? "")).toBeGreaterThanOrEqual(Date.parse(head?.newest?.finished ?? ""));
  });

  test("notes whose mailbox it is once, before it writes the head", async () => {
    const { mailbox, place, back } = await aMailbox({ items: 1, userFolders: 0 });
    const { replace } = place.vault;
    place.vault.replace = () => Promise.reject(new Error("cut off"));
    await expect(back()).rejects.toThrow("cut off");
    expect(await mailboxesOfUser(place.state, mailbox.userId)).toEqual([mailbox.key]);

    place.vault.replace = replace;
    await back();
    const { length } = place.state.writes;
    await back({ full: true });
    expect(place.state.writes).toHaveLength(length);
  });

  test("exports what changed, enriched, and nothing else", async () => {
    const { mailbox, place, back } = await aMailbox({ items: 60, userFolders: 2 });
    await back();
    const { ids } = await emulator.admin["create-items"]({
      mailbox: mailbox.id,
      folder: "inbox",
      count: 3,
      subject: "News",
    });
    await emulator.admin["create-items"]({ mailbox: mailbox.id, folder: "drafts", count: 1, subject: "Draft" });

    const second = await back();

    const puts = (await ownRecords(place.vault, mailbox.key, second.snapshotId)).filter(({ op }) => op === "put");
    expect(puts).toHaveLength(4);
    expect(puts.map((put) => put.op === "put" && put.subject).toSorted()).toEqual(["Draft", "News", "News", "News"]);
    expect(puts.every((put) => put.op === "put" && put.searchKey !== undefined)).toBe(true);
    expect(puts.map((put) => put.op === "put" && put.id)).toEqual(expect.arrayContaining(ids));
    expect(second.items).toBe(64);
  });

  test("compares and stores only what differs when everything is listed again", async () => {
    const { mailbox, place, back } = await aMailbox({ items: 80, userFolders: 2 });
    await back();
    await emulator.admin["create-items"]({ mailbox: mailbox.id, folder: "inbox", count: 2 });

    const full = await back({ full: true });
    const again = await back({ full: true });

    expect(full.totals.exported).toBe(2);
    expect(again).toMatchObject({ quiet: true, totals: { exported: 0 } });
    const manifest = await readManifest(place.vault, mailbox.key, full.snapshotId);
    expect(manifest?.manifest.base).toBe(false);
  });

  test("tries again what the last run could not store, and is then complete", async () => {
    const { mailbox, place, back } = await aMailbox({ items: 40, userFolders: 1 });
    const items = [];
    for await (const item of await emulator.admin.items({ mailbox: mailbox.id })) items.push(item.id);
    const broken = items.slice(0, 3);
    await emulator.admin["add-fault"]({
      kind: "export-item",
      outcome: "error",
      code: "ErrorOdd",
      itemIds: broken,
      mailbox: mailbox.id,
    });

    const partial = await back();
    const stillPartial = await back();
    await emulator.admin["clear-faults"]({});
    const complete = await back();

    expect(partial).toMatchObject({ state: "partial", items: 37, totals: { failed: 3 } });
    expect(stillPartial).toMatchObject({ state: "partial", quiet: false, totals: { failed: 3, exported: 0 } });
    expect(complete).toMatchObject({ state: "complete", items: 40, totals: { exported: 3 } });
    const live = [];
    for await (const { id } of foldSnapshot(place.vault, mailbox.key, partial.snapshotId)) live.push(id);
    expect(live.toSorted()).toEqual(items.filter((id) => !broken.includes(id)).toSorted());
  });
});
