import type { MailboxKey } from "../../../shared/contracts/ids.ts";
import type { Blobs } from "../../../shared/storage/blobs.ts";
import type { Manifest } from "../../../shared/vault/manifest.ts";
import { findSnapshotAt, readHead, readManifest } from "../../../shared/vault/snapshots.ts";
import type { RestoreSpec } from "./restore-request.ts";

/**
 * The snapshot to restore from: the one that is named, else the newest that had begun by `at`, else the newest. A query
 * for items removed since a moment takes that moment for `at`: the newest snapshot no longer has those items.
 */
export const chooseSnapshot = async (
  vault: Blobs,
  mailbox: MailboxKey,
  { snapshot, at, select }: Pick<RestoreSpec, "snapshot" | "at" | "select">,
): Promise<Manifest | undefined> => {
  const moment = at ?? ("query" in select ? select.query.removedSince : undefined);
  const id =
    snapshot ?? (moment === undefined ? await newest(vault, mailbox) : await findSnapshotAt(vault, mailbox, moment));
  return id === undefined ? undefined : (await readManifest(vault, mailbox, id))?.manifest;
};

const newest = async (vault: Blobs, mailbox: MailboxKey): Promise<string | undefined> =>
  (await readHead(vault, mailbox))?.newest?.id;
