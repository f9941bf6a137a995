import { randomBytes } from "node:crypto";
import { compactSnapshot } from "../../../shared/vault/compact.ts";
import { folderRecord } from "../../../shared/vault/folders.ts";
import { mailboxKey } from "../../../shared/vault/mailbox-key.ts";
import type { Manifest, ManifestV2, PartRef } from "../../../shared/vault/manifest.ts";
import { packName, partName, RECORDS_CHUNK } from "../../../shared/vault/names.ts";
import { type FindStored, openPack } from "../../../shared/vault/pack-writer.ts";
import { writePart } from "../../../shared/vault/part-writer.ts";
import type { CatalogueRecord, FolderFacts, PutRecord } from "../../../shared/vault/records.ts";
import { moveHead, writeManifest } from "../../../shared/vault/snapshots.ts";
import { memoryBlobs } from "../storage/memory-blobs.ts";
import { aManifest, aPut, inChunks, snapshotAt, someFacts } from "./samples.ts";

const mailboxId = "MBX:e0643f21-0000-4000-8000-000000000001@a7809c93";
export const soundKey = mailboxKey(mailboxId);

/** Longer items are streamed, with a data descriptor; one that breaks off leaves its beginning in the pack. */
const BUFFER_BYTES = 512;

export const inbox: FolderFacts = { id: "AAMkAD/inbox=", displayName: "Inbox", path: "Inbox", type: "IPF.Note" };

export type SoundVault = ReturnType<typeof memoryBlobs>;

/** Writes a pack and its index. An item is a stream, or `undefined` when its export broke off. */
export const writePack = async (
  vault: SoundVault,
  {
    run,
    chunk = 0,
    items,
    idOf = (n) => `item ${run}/${chunk}/${n}`,
    findStored,
  }: {
    run: number;
    chunk?: number;
    items: readonly (Uint8Array | undefined)[];
    idOf?: (n: number) => string;
    findStored?: FindStored;
  },
): Promise<PutRecord[]> => {
  const name = packName(soundKey, snapshotAt(run), chunk, 0);
  const pack = openPack(vault, name, { bufferBytes: BUFFER_BYTES, findStored });
  const records: PutRecord[] = [];
  for (const [n, item] of items.entries()) {
    if (item === undefined) await pack.addItem(brokenOff()).catch(() => undefined);
    else records.push(aPut({ id: idOf(n), ...(await pack.addItem(inChunks(item, 100))) }));
  }
  const skip = { v: 1, op: "skip", id: "skipped", folderId: inbox.id, reason: "corrupt", code: "ErrorItem" } as const;
  await pack.close([...records, skip]);
  return records;
};

async function* brokenOff(): AsyncGenerator<Uint8Array> {
  yield randomBytes(BUFFER_BYTES * 2);
  throw new Error("connection reset");
}

export interface Written {
  readonly run: number;
  readonly parts: readonly (readonly CatalogueRecord[])[];
  readonly base?: boolean;
}

/** Writes a chain of snapshots, and the head. */
export const writeSnapshots = async (vault: SoundVault, snapshots: readonly Written[]): Promise<void> => {
  let parent: Manifest["parent"] = null;
  for (const { run, parts, base = parent === null } of snapshots) {
    const id = snapshotAt(run);
    const refs: PartRef[] = [];
    for (const [n, records] of parts.entries()) {
      const ref = await writePart(vault, partName(soundKey, id, `p${n}`), records);
      const isOfFolders = records.some(({ op }) => op === "folder");
      if (ref !== "exists") refs.push({ ...ref, ...(isOfFolders ? { folders: true } : {}) });
    }
    const counts = countsOf(parts.flat());
    const snapshot = aManifest({ id, parent, base, mailboxKey: soundKey, mailboxId, parts: refs, counts });
    const { manifest, sha256 } = await writeManifest(vault, snapshot);
    parent = { id, sha256 };
    const newest = { id, manifestSha256: sha256, finished: manifest.finished, state: "complete" as const };
    await moveHead(vault, soundKey, () => ({
      v: 1,
      mailboxKey: soundKey,
      mailboxId,
      kind: "primary",
      user: { id: "48d31887", displayName: "Ada Berg" },
      newest: { ...newest, items: 7, bytes: 70, failed: 0 },
      checkedAt: manifest.finished,
      hold: { since: manifest.finished, reason: "legal" },
    }));
  }
};

const countsOf = (records: readonly CatalogueRecord[]): ManifestV2["counts"] => {
  const count = (op: CatalogueRecord["op"]) => records.filter((record) => record.op === op).length;
  const [put, removed, skipped, failed] = [count("put"), count("remove"), count("skip"), count("fail")];
  return { put, removed, skipped, failed, folders: 0, problems: 0, rawBytes: 0, storedBytes: 0 };
};

const mail = Buffer.from("Dear all, the meeting is moved to Thursday. ".repeat(20), "utf16le");

/** Writes a pack without items, with the records that belong to no batch. */
export const writeRecords = (vault: SoundVault, run: number, records: readonly CatalogueRecord[]) =>
  openPack(vault, packName(soundKey, snapshotAt(run), RECORDS_CHUNK, 0)).close(records);

/**
 * Three snapshots in few bytes, one of them with a base. They have an item of every kind of storage, a removal, and an
 * export that broke off.
 */
export const aSoundVault = async (): Promise<SoundVault> => {
  const vault = memoryBlobs();
  const folder: CatalogueRecord = folderRecord({
    ...inbox,
    itemCount: 3,
    deltaLink: "https://graph.example/delta?x=y",
  });
  const first = await writePack(vault, { run: 0, items: [mail.subarray(0, 300), randomBytes(200), new Uint8Array(0)] });
  const second = await writePack(vault, { run: 0, chunk: 1, items: [mail, undefined, randomBytes(700)] });
  const third = await writePack(vault, { run: 1, items: [Buffer.alloc(400, 7), mail.subarray(100, 500)] });
  const fail: CatalogueRecord = {
    v: 1,
    op: "fail",
    ...someFacts({ id: "failed" }),
    reason: "unknown-error",
    code: "E",
  };
  const removal: CatalogueRecord = {
    v: 1,
    op: "remove",
    id: first[0]?.id ?? "",
    folderId: inbox.id,
    reason: "deleted",
  };
  await writeRecords(vault, 0, [folder]);
  await writeRecords(vault, 2, [removal]);
  await writeSnapshots(vault, [
    { run: 0, parts: [[folder], first, second] },
    { run: 1, parts: [[...third, fail]] },
    { run: 2, parts: [[removal]] },
  ]);
  await compactSnapshot(vault, soundKey, snapshotAt(1));
  return vault;
};
