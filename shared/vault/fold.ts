import type { MailboxKey, SnapshotId } from "../contracts/ids.ts";
import type { Blobs } from "../storage/blobs.ts";
import { liveness } from "./liveness.ts";
import { readPart } from "./part-reader.ts";
import type { PutRecord } from "./records.ts";
import { walkToBase } from "./snapshots.ts";

/**
 * The put record of every item that was live in a snapshot, newest record first: manifests from the snapshot back to
 * the newest base, their parts and records last first. Holds one part in memory, and 16 bytes for each item.
 */
export async function* foldSnapshot(
  blobs: Blobs,
  mailboxKey: MailboxKey,
  snapshotId: SnapshotId,
  filter: (record: PutRecord) => boolean = () => true,
): AsyncGenerator<PutRecord> {
  const isLive = liveness();
  for await (const { parts } of walkToBase(blobs, mailboxKey, snapshotId))
    for (const part of parts.toReversed())
      for await (const record of readPart(blobs, part, "last-to-first"))
        if (isLive(record) && filter(record)) yield record;
}
