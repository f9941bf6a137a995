import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { BlobServiceClient, type ContainerClient } from "@azure/storage-blob";
import { keepFolderMap, ledgerName, readRestoreChunk, readRestorePlan } from "../../functions/restore/restore-state.ts";
import { connectionString } from "../../local/storage/account.ts";
import { startAzurite } from "../../local/storage/azurite.ts";
import { mapBounded } from "../../shared/bounded.ts";
import { azureBlobs } from "../../shared/storage/azure-blobs.ts";
import type { Blobs } from "../../shared/storage/blobs.ts";
import { folderRecord } from "../../shared/vault/folders.ts";
import { mailboxKey } from "../../shared/vault/mailbox-key.ts";
import type { PartRef } from "../../shared/vault/manifest.ts";
import { merkleRoot } from "../../shared/vault/merkle.ts";
import { packName, partName } from "../../shared/vault/names.ts";
import { MAX_PART_RECORDS, writePart } from "../../shared/vault/part-writer.ts";
import { writeManifest } from "../../shared/vault/snapshots.ts";
import { isLost, type LargeMailbox, putRecord, restoredId, serveMailbox, snapshotFolders } from "./large-mailbox.ts";

/**
 * Plans a restore of a large mailbox, and compares it at its end, each in a process of its own against storage on disk:
 * how long each step takes, and how much memory. Graph and the vault are made up, and one in a hundred of Graph's
 * answers is 503.
 */
const { values } = parseArgs({
  options: {
    items: { type: "string", default: "20000" },
    folders: { type: "string", default: "40" },
    /** Every so manieth item is lost; 1 for all. */
    "lost-every": { type: "string", default: "10" },
    /** What a step works for. */
    seconds: { type: "string", default: "100" },
  },
});
const mailbox: LargeMailbox = {
  items: Number(values.items),
  folders: Number(values.folders),
  lostEvery: Number(values["lost-every"]),
};

const id = "MBX:bench@contoso";
const key = mailboxKey(id);
const snapshotId = "20261121T010000Z-bench2";
const restoreId = "20261122T093000Z-bench2";
const WIDTH = 8;

const writeVault = async (vault: Blobs): Promise<void> => {
  const parts: PartRef[] = [];
  const keep = async (name: string, records: Parameters<typeof writePart>[2], more: object = {}): Promise<void> => {
    const part = await writePart(vault, partName(key, snapshotId, name), records);
    if (part !== "exists") parts.push({ ...part, ...more });
  };
  await keep("p0", snapshotFolders(mailbox).map(folderRecord), { folders: true });
  const pack = packName(key, snapshotId, 0, 0);
  for (let from = 0; from < mailbox.items; from += MAX_PART_RECORDS) {
    const length = Math.min(MAX_PART_RECORDS, mailbox.items - from);
    await keep(
      `p${1 + from / MAX_PART_RECORDS}`,
      Array.from({ length }, (_, n) => putRecord(from + n, mailbox, pack)),
    );
  }
  await writeManifest(vault, {
    ...{ v: 2, id: snapshotId, base: true, parent: null, mailboxKey: key, mailboxId: id, kind: "primary" },
    ...{ started: "2026-11-21T01:00:00Z", finished: "2026-11-21T01:02:00Z", trigger: "schedule", state: "complete" },
    counts: {
      put: mailbox.items,
      removed: 0,
      skipped: 0,
      failed: 0,
      folders: 0,
      problems: 0,
      rawBytes: 0,
      storedBytes: 0,
    },
    ...{ parts, root: merkleRoot(parts.map(({ sha256 }) => sha256)), program: "bench" },
  });
};

/** As if every item of the plan had been imported. */
const writeLedgers = async (work: Blobs, container: ContainerClient): Promise<void> => {
  const plan = await readRestorePlan(work, restoreId);
  await keepFolderMap(
    work,
    restoreId,
    Object.fromEntries(plan.folders.map(({ sourceId, liveId = "" }) => [sourceId, liveId])),
  );
  await mapBounded([...Array(plan.chunks).keys()], WIDTH, async (chunk) => {
    const items = await readRestoreChunk(work, restoreId, plan, chunk);
    const lines = items.map(({ id }, item) => {
      const n = Number(/-item-(\d+)$/.exec(id)?.[1]);
      if (!isLost(n, mailbox)) throw new Error(`Item ${n} is planned, and is not lost`);
      return `${JSON.stringify({ op: "imported", item, itemId: restoredId(n), changeKey: `key-${n}` })}\n`;
    });
    const blob = container.getAppendBlobClient(ledgerName(restoreId, chunk));
    await blob.create();
    await blob.appendBlock(lines.join(""), Buffer.byteLength(lines.join("")));
  });
};

const say = (text: string): void => console.log(`${new Date().toISOString().slice(11, 19)} ${text}`);

const dir = await mkdtemp(join(tmpdir(), "large-restore-"));
const azurite = await startAzurite({ dir });
const graph = await serveMailbox(mailbox);
try {
  const connection = connectionString(azurite.url);
  const service = BlobServiceClient.fromConnectionString(connection);
  for (const name of ["vault", "work", "state"]) await service.getContainerClient(name).create();
  const work = service.getContainerClient("work");
  const steps = async (what: "plan" | "compare", order: object): Promise<void> => {
    say(what);
    const script = fileURLToPath(new URL("steps-main.ts", import.meta.url));
    const args = [script, what, connection, graph.url, JSON.stringify(order), values.seconds];
    const child = spawn(process.execPath, args, { stdio: "inherit" });
    const [code] = await once(child, "exit");
    if (code !== 0) throw new Error(`${what} failed`);
    const { requests, refused, mostAtOnce } = graph.state;
    say(`${requests} requests so far, ${refused} answered 503, at most ${mostAtOnce} at once`);
  };
  const restore = { restoreId, mailbox: { key, id, kind: "primary", userId: "bench" }, slots: 4 };
  say(`writing a snapshot of ${mailbox.items.toLocaleString("en")} items`);
  await writeVault(azureBlobs(service.getContainerClient("vault")));
  await steps("plan", { ...restore, snapshotId, select: { all: true }, target: "original" });
  graph.state.restoredAt = new Date(Date.now() + 1_000).toISOString();
  say("writing ledgers");
  await writeLedgers(azureBlobs(work), work);
  await steps("compare", { ...restore, snapshotId });
} finally {
  await graph.stop();
  await azurite.stop();
  await rm(dir, { recursive: true, force: true });
}
