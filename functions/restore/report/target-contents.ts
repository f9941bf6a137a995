import { type CopyCounter, copyCounter } from "../../../shared/copy-counter.ts";
import { hasFolder } from "../../../shared/graph/folders.ts";
import type { GraphClient } from "../../../shared/graph/graph-client.ts";
import { isNotFound } from "../../../shared/graph/graph-error.ts";
import { eachItem, type LiveItem } from "../../../shared/graph/items.ts";
import type { MailboxAddress } from "../../../shared/graph/mailbox-address.ts";

/** The ids of all items in these folders; `seen` is called for each. */
export const liveIds = async (
  graph: GraphClient,
  mailbox: MailboxAddress,
  folderIds: Iterable<string>,
  seen: (folderId: string, item: LiveItem) => void = () => undefined,
): Promise<Set<string>> => {
  const ids = new Set<string>();
  for (const folderId of folderIds)
    for (const item of await itemsOf(graph, mailbox, folderId)) {
      ids.add(item.id);
      seen(folderId, item);
    }
  return ids;
};

/** Graph filters by whole seconds. */
export const wholeSecond = (time: string): string => new Date(Math.floor(Date.parse(time) / 1000) * 1000).toISOString();

/**
 * Counts the items among `ids` that were created since a time, by folder and search key. An older item never counts for
 * an item that the restore lost.
 */
export const copiesSince = async (
  graph: GraphClient,
  mailbox: MailboxAddress,
  folderIds: Iterable<string>,
  { since, ids }: { readonly since: string; readonly ids: ReadonlySet<string> },
): Promise<CopyCounter> => {
  const copies = copyCounter();
  const created = { createdSince: wholeSecond(since) };
  for (const folderId of folderIds) {
    for (const { id, searchKey } of await itemsOf(graph, mailbox, folderId, created))
      if (ids.has(id)) copies.add(folderId, searchKey);
  }
  return copies;
};

/** The items of a folder: none, when somebody has deleted it. */
const itemsOf = async (
  graph: GraphClient,
  mailbox: MailboxAddress,
  folderId: string,
  options: Parameters<typeof eachItem>[3] = {},
): Promise<LiveItem[]> => {
  const items: LiveItem[] = [];
  try {
    for await (const item of eachItem(graph, mailbox, folderId, options)) items.push(item);
    return items;
  } catch (error) {
    if (!isNotFound(error) || (await hasFolder(graph, mailbox, folderId))) throw error;
    return [];
  }
};
