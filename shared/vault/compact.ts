import { randomBytes } from "node:crypto";
import type { MailboxKey, SnapshotId } from "../contracts/ids.ts";
import type { Blobs } from "../storage/blobs.ts";
import { type Base, writeBase } from "./base.ts";
import { folderFold, folderRecord, otherFolderRecord } from "./folders.ts";
import { liveness } from "./liveness.ts";
import type { PartRef } from "./manifest.ts";
import { merkleRoot } from "./merkle.ts";
import { partName } from "./names.ts";
import { readPart } from "./part-reader.ts";
import { writePart } from "./part-writer.ts";
import type { CatalogueRecord } from "./records.ts";
import { isProblem } from "./snapshot-index.ts";
import { walkToBase } from "./snapshots.ts";

/** Records of one part of a base: at two kilobytes each, they take little memory and make few parts. */
const PART_RECORDS = 5_000;

/** Fewer snapshots are folded quickly, even if their records outnumber the items of a small mailbox. */
const MIN_SNAPSHOTS = 7;

/** With more snapshots, the requests for them, two each, cost more than their content. */
const MAX_SNAPSHOTS = 100;

/**
 * Whether folding a snapshot costs more than a base beside it would: the snapshots since the last base have more
 * records than there are live `items`, or there are more than {@link MAX_SNAPSHOTS} of them.
 */
export const isCompactionDue = async (
  vault: Blobs,
  mailboxKey: MailboxKey,
  snapshotId: SnapshotId,
  items: number,
): Promise<boolean> => {
  let snapshots = 0;
  let records = 0;
  for await (const { manifest, base } of walkToBase(vault, mailboxKey, snapshotId)) {
    if (manifest.base || base !== undefined) break;
    snapshots += 1;
    records += manifest.parts.reduce((sum, part) => sum + part.records, 0);
  }
  return snapshots > MAX_SNAPSHOTS || (snapshots >= MIN_SNAPSHOTS && records > items);
};

export interface Compaction {
  /** `exists`: a fold of the snapshot needs no older one already. */
  readonly outcome: "created" | "exists";
  /** Records of the base. */
  readonly records: number;
}

/**
 * Writes the base of a snapshot: its live items, its problems, and its folders, so that no older snapshot
 * is needed to read it or to go on from it. Items stay in the order of a fold.
 *
 * Parts have random names, so that two compactions, at the same time or after one was killed, never name each other's
 * parts. The base that is written first is kept. Holds two parts in memory, and 16 bytes for each item.
 */
export const compactSnapshot = async (
  vault: Blobs,
  mailboxKey: MailboxKey,
  snapshotId: SnapshotId,
  partRecords = PART_RECORDS,
): Promise<Compaction> => {
  const isLive = liveness();
  const fold = folderFold();
  const openParts = baseParts(vault, mailboxKey, snapshotId, partRecords);
  const parts = openParts();
  let snapshot: Base["snapshot"] | undefined;

  for await (const { manifest, sha256, base, parts: folded } of walkToBase(vault, mailboxKey, snapshotId)) {
    if (snapshot === undefined) {
      if (manifest.base || base !== undefined) return { outcome: "exists", records: 0 };
      snapshot = { id: manifest.id, sha256 };
    }
    fold.begin(manifest);
    for (const part of folded.toReversed())
      for await (const record of readPart(vault, part, "last-to-first")) {
        fold.take(record);
        if (isLive(record) || (manifest.id === snapshotId && isProblem(record))) await parts.add(record);
      }
  }
  if (snapshot === undefined) throw new Error(`${mailboxKey}: the walk from ${snapshotId} returned no manifest`);

  const ofFolders = openParts({ folders: true });
  const { folders, otherFolders } = fold.result();
  for (const record of [...folders.map(folderRecord), ...otherFolders.map(otherFolderRecord)].toReversed())
    await ofFolders.add(record);
  const refs = [...(await ofFolders.close()), ...(await parts.close())];
  const root = merkleRoot(refs.map(({ sha256 }) => sha256));
  const outcome = await writeBase(vault, { v: 1, mailboxKey, snapshot, parts: refs, root });
  return { outcome, records: refs.reduce((sum, { records }) => sum + records, 0) };
};

/** Returns what collects records, newest first, and writes them as parts that apply oldest first. */
const baseParts = (vault: Blobs, mailboxKey: MailboxKey, snapshotId: SnapshotId, partRecords: number) => {
  const prefix = `base-${randomBytes(4).toString("hex")}`;
  let parts = 0;

  return (mark: Pick<PartRef, "folders"> = {}) => {
    const written: PartRef[] = [];
    let waiting: CatalogueRecord[] = [];

    const write = async (): Promise<void> => {
      const records = waiting.toReversed();
      waiting = [];
      const name = partName(mailboxKey, snapshotId, `${prefix}-${String(parts).padStart(5, "0")}`);
      parts += 1;
      const part = await writePart(vault, name, records);
      if (part === "exists") throw new Error(`${name} exists already`);
      written.push({ ...part, ...mark });
    };

    return {
      add: async (record: CatalogueRecord): Promise<void> => {
        waiting.push(record);
        if (waiting.length === partRecords) await write();
      },
      close: async (): Promise<PartRef[]> => {
        if (waiting.length > 0) await write();
        return written.toReversed();
      },
    };
  };
};
