import { promisify } from "node:util";
import { gunzip, gzip } from "node:zlib";
import type { MailboxKey, SnapshotId } from "../../shared/contracts/ids.ts";
import { type Blobs, parseJson } from "../../shared/storage/blobs.ts";
import { indexSnapshot, SnapshotIndex } from "../../shared/vault/snapshot-index.ts";
import { nameSnapshots } from "../../shared/vault/snapshots.ts";

const compress = promisify(gzip);
const decompress = promisify(gunzip);

/** The newest base decides which parts a snapshot is folded from. */
const indexName = (mailboxKey: MailboxKey, snapshotId: SnapshotId, base: SnapshotId | undefined): string =>
  `indexes/${mailboxKey}/${snapshotId}${base === undefined ? "" : `.${base}`}.v1.json.gz`;

/**
 * The index of a snapshot, which is made when it is first asked for and kept as scratch data. A snapshot never changes,
 * so neither does its index, until a base is written from which it is then folded: whoever makes it again, at the same
 * time or after it has expired, makes the same.
 */
export const openIndex = async (
  { vault, work }: { readonly vault: Blobs; readonly work: Blobs },
  mailboxKey: MailboxKey,
  snapshotId: SnapshotId,
): Promise<SnapshotIndex> => {
  const { bases } = await nameSnapshots(vault, mailboxKey);
  const name = indexName(
    mailboxKey,
    snapshotId,
    bases.findLast((base) => base <= snapshotId),
  );
  const kept = await work.readWhole(name);
  if (kept !== undefined) return parseJson(name, await decompress(kept.body), SnapshotIndex);

  const index = await indexSnapshot(vault, mailboxKey, snapshotId);
  await work.create(name, await compress(JSON.stringify(index)), { contentType: "application/gzip" });
  return index;
};
