import * as z from "zod";
import type { MailboxKey, SnapshotId } from "../contracts/ids.ts";
import type { Blobs } from "../storage/blobs.ts";
import { folderFold } from "./folders.ts";
import { liveness } from "./liveness.ts";
import { PartRef } from "./manifest.ts";
import { readPart } from "./part-reader.ts";
import { type CatalogueRecord, SnapshotFolder } from "./records.ts";
import { walkToBase } from "./snapshots.ts";

const Count = z.int().nonnegative();

/** What a reader needs to know of a part before it reads it. */
const IndexedPart = z.object({
  part: PartRef,
  /** One bit for each record, last record first, lowest bit first: whether the record is live in the snapshot. */
  live: z.base64(),
  items: Count,
  /** Records of problems of this very snapshot; 0 in the parts of its ancestors. */
  problems: Count,
});
export type IndexedPart = z.output<typeof IndexedPart>;

/** Live items, and the bytes of their raw streams. */
export const FolderContent = z.object({ items: Count, bytes: Count });
export type FolderContent = z.output<typeof FolderContent>;

/** What is live in a snapshot, newest part first. A reader can begin at any record without reading those before it. */
export const SnapshotIndex = z.object({
  v: z.literal(2),
  parts: z.array(IndexedPart),
  /** The folders of the snapshot, in the order of their paths. */
  folders: z.array(SnapshotFolder.omit({ deltaLink: true })),
  /** What each folder holds, also those that the snapshot does not list. */
  contents: z.record(z.string(), FolderContent),
});
export type SnapshotIndex = z.output<typeof SnapshotIndex>;

/** The record of an item that was left out, or of another problem. */
export type ProblemRecord = Extract<CatalogueRecord, { op: "skip" | "fail" | "problem" }>;

export const isProblem = (record: CatalogueRecord): record is ProblemRecord =>
  record.op === "skip" || record.op === "fail" || record.op === "problem";

/** Folds a snapshot into its index. Holds one part in memory, 16 bytes for each item, and the index. */
export const indexSnapshot = async (
  vault: Blobs,
  mailboxKey: MailboxKey,
  snapshotId: SnapshotId,
): Promise<SnapshotIndex> => {
  const isLive = liveness();
  const parts: IndexedPart[] = [];
  const fold = folderFold();
  const contents = new Map<string, FolderContent>();

  for await (const { manifest, parts: folded } of walkToBase(vault, mailboxKey, snapshotId)) {
    fold.begin(manifest);
    for (const part of folded.toReversed()) {
      const live = Buffer.alloc(Math.ceil(part.records / 8));
      const counts = { items: 0, problems: 0 };
      let number = 0;
      for await (const record of readPart(vault, part, "last-to-first")) {
        fold.take(record);
        if (isLive(record)) {
          live.writeUInt8(live.readUInt8(number >>> 3) | (1 << (number & 7)), number >>> 3);
          counts.items += 1;
          addTo(contents, record.folderId, record.rawBytes);
        }
        if (manifest.id === snapshotId && isProblem(record)) counts.problems += 1;
        number += 1;
      }
      parts.push({ part, live: live.toString("base64"), ...counts });
    }
  }
  const folders = fold.result().folders.map(({ deltaLink: _, ...folder }) => folder);
  return { v: 2, parts, folders, contents: Object.fromEntries(contents) };
};

const addTo = (contents: Map<string, FolderContent>, folderId: string, bytes: number): void => {
  const content = contents.get(folderId) ?? { items: 0, bytes: 0 };
  content.items += 1;
  content.bytes += bytes;
  contents.set(folderId, content);
};
