import type { Blobs } from "../shared/storage/blobs.ts";
import { foldSnapshot } from "../shared/vault/fold.ts";
import type { Head } from "../shared/vault/head.ts";
import { itemTime } from "../shared/vault/item-filter.ts";
import type { Manifest } from "../shared/vault/manifest.ts";
import type { SnapshotFolder } from "../shared/vault/records.ts";
import { indexSnapshot } from "../shared/vault/snapshot-index.ts";
import { listMailboxes, listSnapshots, readManifest } from "../shared/vault/snapshots.ts";
import { findFolder, findMailbox, findSnapshot, readableHead } from "./find.ts";
import { columns, type Printer } from "./printer.ts";

/** Lists mailboxes, the snapshots of one, the folders of a snapshot, or the items of a folder. */
export const ls = async (
  vault: Blobs,
  { print }: Printer,
  [mailbox, snapshotName, folderName]: readonly string[],
): Promise<number> => {
  if (mailbox === undefined) return listAll(vault, print);
  const key = await findMailbox(vault, mailbox);
  if (snapshotName === undefined) {
    for await (const id of listSnapshots(vault, key)) {
      const { finished, state, counts } = (await readManifest(vault, key, id))?.manifest ?? {};
      print(columns([id, finished, state, counts?.put, counts?.removed, counts?.failed]));
    }
    return 0;
  }
  const snapshot = await findSnapshot(vault, key, snapshotName);
  if (folderName === undefined) return listFolders(vault, print, snapshot);
  return listItems(vault, print, snapshot, await findFolder(vault, snapshot, folderName));
};

type Print = Printer["print"];

const listAll = async (vault: Blobs, print: Print): Promise<number> => {
  for await (const key of listMailboxes(vault)) {
    const { user, newest } = (await readableHead(vault, key)) ?? {};
    print(columns([key, nameOf(user), newest?.id, newest?.items, newest?.bytes]));
  }
  return 0;
};

const nameOf = (user: Head["user"]): string | undefined => {
  const name = user?.displayName ?? user?.id;
  return user?.primaryAddress === undefined ? name : `${name} <${user.primaryAddress}>`;
};

const listFolders = async (vault: Blobs, print: Print, { mailboxKey, id }: Manifest): Promise<number> => {
  const { folders, contents } = await indexSnapshot(vault, mailboxKey, id);
  for (const folder of folders)
    print(columns([folder.path, contents[folder.id]?.items ?? 0, contents[folder.id]?.bytes ?? 0]));
  return 0;
};

const listItems = async (
  vault: Blobs,
  print: Print,
  { mailboxKey, id }: Manifest,
  folder: SnapshotFolder,
): Promise<number> => {
  for await (const item of foldSnapshot(vault, mailboxKey, id, ({ folderId }) => folderId === folder.id)) {
    print(columns([item.id, itemTime(item), item.rawBytes, item.type, item.from, item.subject]));
  }
  return 0;
};
