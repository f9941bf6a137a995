import type { MailboxKey, SnapshotId } from "../ids.ts";
import type { Blobs } from "./blobs.ts";
import { itemSet } from "./item-set.ts";
import { readPart } from "./part-reader.ts";
import type { PutRecord } from "./records.ts";
import { walkToBase } from "./snapshots.ts";

/**
 * Every item that was live in a snapshot, newest record first, as the record that stores it.
 *
 * Manifests are walked from the snapshot back to the newest base, parts and records last first, so the first record
 * met of an item decides: `put` is live, `remove` or a removed folder after it is not; `skip` and `fail` decide
 * nothing, which leaves the older version live. Memory is one part and at most 16 bytes for each item met.
 */
export async function* foldSnapshot(
  blobs: Blobs,
  mailboxKey: MailboxKey,
  snapshotId: SnapshotId,
  filter: (record: PutRecord) => boolean = () => true,
): AsyncGenerator<PutRecord> {
  const seen = itemSet();
  const removedFolders = new Set<string>();

  for await (const { manifest } of walkToBase(blobs, mailboxKey, snapshotId)) {
    for (const part of manifest.parts.toReversed()) {
      for await (const record of readPart(blobs, part, "last-to-first")) {
        if (record.op === "folder" && "removed" in record) removedFolders.add(record.id);
        if (record.op === "remove") seen.add(record);
        if (record.op !== "put" || removedFolders.has(record.folderId)) continue;
        if (seen.add(record) && filter(record)) yield record;
      }
    }
  }
}
