import type { MailboxKey } from "../../../shared/contracts/ids.ts";
import type { Blobs } from "../../../shared/storage/blobs.ts";
import { readFolders } from "../../../shared/vault/folders.ts";
import { findNewest } from "../../../shared/vault/newest.ts";
import { findSnapshotAt, readManifest } from "../../../shared/vault/snapshots.ts";
import type { RestoreSpec } from "./restore-request.ts";
import type { FoldedSnapshot } from "./selection.ts";

/**
 * The snapshot to restore from: the one that is named, else the newest that had begun by `at`, else the newest. A query
 * for items removed since a moment takes that moment for `at`: the newest snapshot no longer has those items.
 */
export const chooseSnapshot = async (
  vault: Blobs,
  mailbox: MailboxKey,
  { snapshot, at, select }: Pick<RestoreSpec, "snapshot" | "at" | "select">,
): Promise<FoldedSnapshot | undefined> => {
  const moment = at ?? ("query" in select ? select.query.removedSince : undefined);
  const newest = async () => (await findNewest(vault, mailbox)).whole?.manifest.id;
  const id = snapshot ?? (moment === undefined ? await newest() : await findSnapshotAt(vault, mailbox, moment));
  if (id === undefined || (await readManifest(vault, mailbox, id)) === undefined) return undefined;
  return { mailboxKey: mailbox, id, ...(await readFolders(vault, mailbox, id)) };
};
