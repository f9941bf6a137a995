import type { HttpHandler } from "@azure/functions";
import * as z from "zod";
import { json } from "../../shared/http/problem.ts";
import type { MailboxSource } from "../../shared/mailbox-route.ts";
import type { Blobs } from "../../shared/storage/blobs.ts";
import type { FolderContent, SnapshotIndex } from "../../shared/vault/snapshot-index.ts";
import { openIndex } from "./snapshot-indexes.ts";
import { snapshotRoute } from "./snapshot-route.ts";

interface FolderNode {
  readonly id: string;
  readonly displayName: string;
  readonly path: string;
  readonly type: string;
  readonly wellKnownName: string | undefined;
  /** Of the folder itself, without the folders below it. */
  readonly items: number;
  readonly bytes: number;
  /** The folder's number of items by Exchange's own count, when it was backed up. */
  readonly announced: number;
  readonly folders: FolderNode[];
}

/**
 * GET /api/mailboxes/{mailbox}/snapshots/{id}/folders
 *
 * 200 with the folder tree of the snapshot, and the number of items in each folder with the bytes of their raw streams;
 * 404 for a mailbox or snapshot that does not exist. The totals also count items of folders that the snapshot does not
 * list.
 */
export const getFolders = (deps: MailboxSource & { readonly work: Blobs }): HttpHandler =>
  snapshotRoute(deps, z.strictObject({}), async ({ manifest }) => {
    const index = await openIndex(deps, manifest.mailboxKey, manifest.id);
    return json(200, {
      mailbox: manifest.mailboxKey,
      snapshot: manifest.id,
      ...total(index),
      folders: folderTree(index),
    });
  });

const NOTHING: FolderContent = { items: 0, bytes: 0 };

const total = ({ contents }: SnapshotIndex): FolderContent =>
  Object.values(contents).reduce(
    (sum, { items, bytes }) => ({ items: sum.items + items, bytes: sum.bytes + bytes }),
    NOTHING,
  );

/** A folder whose parent was not backed up is at the top. */
const folderTree = ({ folders, contents }: SnapshotIndex): FolderNode[] => {
  const nodes = new Map(folders.map((folder) => [folder.id, folderNode(folder, contents[folder.id])]));
  const top: FolderNode[] = [];
  for (const { id, parentId = "" } of folders) {
    const node = nodes.get(id);
    if (node) (nodes.get(parentId)?.folders ?? top).push(node);
  }
  return top;
};

const folderNode = (
  { id, displayName, path, type, wellKnownName, itemCount }: SnapshotIndex["folders"][number],
  { items, bytes } = NOTHING,
): FolderNode => ({ id, displayName, path, type, wellKnownName, items, bytes, announced: itemCount, folders: [] });
