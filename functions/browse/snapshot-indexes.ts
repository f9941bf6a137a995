import { promisify } from "node:util";
import { gunzip, gzip } from "node:zlib";
import type { MailboxKey, SnapshotId } from "../../shared/contracts/ids.ts";
import { type Blobs, parseJson } from "../../shared/storage/blobs.ts";
import { indexSnapshot, SnapshotIndex } from "../../shared/vault/snapshot-index.ts";
import { nameSnapshots } from "../../shared/vault/snapshots.ts";

const compress = promisify(gzip);
const decompress = promisify(gunzip);

/** By the newest base, since it decides which parts the snapshot is folded from. */
const indexName = (mailboxKey: MailboxKey, snapshotId: SnapshotId, base: SnapshotId | undefined): string =>
  `indexes/${mailboxKey}/${snapshotId}${base === undefined ? "" : `.${base}`}.v2.json.gz`;

/**
 * Returns the index of a snapshot; makes it on first use and keeps it as scratch data. A snapshot never changes, so its
 * index changes only with the base that it is folded from. It can be made again, at the same time or after it has
 * expired, with the same result.
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
