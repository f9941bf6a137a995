import type { MailboxKey } from "../../../shared/contracts/ids.ts";
import type { Blobs } from "../../../shared/storage/blobs.ts";
import type { Manifest } from "../../../shared/vault/manifest.ts";
import { findSnapshotAt, readHead, readManifest } from "../../../shared/vault/snapshots.ts";
import type { Wish } from "./restore-request.ts";

/**
 * The snapshot that a request means: the one it names, else the newest that had begun by its time, else the newest. Where
 * the request asks for what was removed since a moment and says nothing of a snapshot, that moment is its time: the newest
 * snapshot holds nothing that was removed.
 */
export const chooseSnapshot = async (
  vault: Blobs,
  mailbox: MailboxKey,
  { snapshot, at, select }: Pick<Wish, "snapshot" | "at" | "select">,
): Promise<Manifest | undefined> => {
  const moment = at ?? ("query" in select ? select.query.removedSince : undefined);
  const id =
    snapshot ?? (moment === undefined ? await newest(vault, mailbox) : await findSnapshotAt(vault, mailbox, moment));
  return id === undefined ? undefined : (await readManifest(vault, mailbox, id))?.manifest;
};

const newest = async (vault: Blobs, mailbox: MailboxKey): Promise<string | undefined> =>
  (await readHead(vault, mailbox))?.newest?.id;
