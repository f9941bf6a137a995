import { type MailboxKey, SnapshotId } from "../shared/contracts/ids.ts";
import { Moment } from "../shared/contracts/item-query.ts";
import { goesBy } from "../shared/mailboxes.ts";
import type { Blobs } from "../shared/storage/blobs.ts";
import { VaultDamageError } from "../shared/vault/damage.ts";
import { findFolder as folderOf } from "../shared/vault/find-folder.ts";
import { readFolders } from "../shared/vault/folders.ts";
import type { Head } from "../shared/vault/head.ts";
import type { Manifest } from "../shared/vault/manifest.ts";
import type { SnapshotFolder } from "../shared/vault/records.ts";
import { findSnapshotAt, listMailboxes, listSnapshots, readHead, readManifest } from "../shared/vault/snapshots.ts";
import { UsageError } from "./usage.ts";

/** The head; `undefined` when it is missing or damaged, as no command depends on it. */
export const readableHead = async (vault: Blobs, key: MailboxKey): Promise<Head | undefined> => {
  try {
    return await readHead(vault, key);
  } catch (error) {
    if (error instanceof VaultDamageError) return undefined;
    throw error;
  }
};

/** @throws {UsageError} when there is none, or more than one. */
export const findMailbox = async (vault: Blobs, name: string): Promise<MailboxKey> => {
  const found: MailboxKey[] = [];
  for await (const key of listMailboxes(vault)) {
    const head = key.startsWith(name) ? undefined : await readableHead(vault, key);
    if (key.startsWith(name) || goesBy(head?.user, name) || head?.mailboxId === name) found.push(key);
  }
  const [key] = found;
  if (key === undefined) throw new UsageError(`The vault has no mailbox ${name}`);
  if (found.length > 1) throw new UsageError(`${name} matches ${found.length} mailboxes: give more of the key`);
  return key;
};

/** @throws {UsageError} when there is none; {VaultDamageError} when its manifest cannot be read. */
export const findSnapshot = async (vault: Blobs, key: MailboxKey, name: string): Promise<Manifest> => {
  const id = await snapshotIdOf(vault, key, name);
  const snapshot = id === undefined ? undefined : await readManifest(vault, key, id);
  if (snapshot === undefined) throw new UsageError(`The mailbox ${key} has no snapshot ${name}`);
  return snapshot.manifest;
};

const snapshotIdOf = async (vault: Blobs, key: MailboxKey, name: string): Promise<SnapshotId | undefined> => {
  if (SnapshotId.safeParse(name).success) return name;
  if (Moment.safeParse(name).success) return findSnapshotAt(vault, key, name);
  if (name !== "newest") return undefined;
  let newest: SnapshotId | undefined;
  for await (const id of listSnapshots(vault, key)) newest = id;
  return newest;
};

/** @throws {UsageError} when there is none. */
export const findFolder = async (vault: Blobs, { mailboxKey, id }: Manifest, name: string): Promise<SnapshotFolder> => {
  const { folders } = await readFolders(vault, mailboxKey, id);
  const folder = folderOf(folders, name);
  if (folder === undefined) throw new UsageError(`The snapshot ${id} has no folder ${name}`);
  return folder;
};
