import { type CopyCounter, copyCounter } from "../../../shared/copy-counter.ts";
import { hasFolder } from "../../../shared/graph/folders.ts";
import type { GraphClient } from "../../../shared/graph/graph-client.ts";
import { isNotFound } from "../../../shared/graph/graph-error.ts";
import { eachItem, type LiveItem } from "../../../shared/graph/items.ts";
import type { MailboxAddress } from "../../../shared/graph/mailbox-address.ts";

/** The ids of all items in these folders. */
export const liveIds = async (
  graph: GraphClient,
  mailbox: MailboxAddress,
  folderIds: Iterable<string>,
): Promise<Set<string>> => {
  const ids = new Set<string>();
  for (const folderId of folderIds)
    for (const id of await itemsOf(graph, mailbox, folderId, {}, (item) => item.id)) ids.add(id);
  return ids;
};

/** Graph filters by whole seconds. */
const wholeSecond = (time: string): string => new Date(Math.floor(Date.parse(time) / 1000) * 1000).toISOString();

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
    const keys = await itemsOf(graph, mailbox, folderId, created, ({ id, searchKey }) => ({ id, searchKey }));
    for (const { id, searchKey } of keys) if (ids.has(id)) copies.add(folderId, searchKey);
  }
  return copies;
};

/** What is needed of each item of a folder: of none, when somebody has deleted the folder. */
const itemsOf = async <T>(
  graph: GraphClient,
  mailbox: MailboxAddress,
  folderId: string,
  options: Parameters<typeof eachItem>[3],
  pick: (item: LiveItem) => T,
): Promise<T[]> => {
  const picked: T[] = [];
  try {
    for await (const item of eachItem(graph, mailbox, folderId, options)) picked.push(pick(item));
    return picked;
  } catch (error) {
    if (!isNotFound(error) || (await hasFolder(graph, mailbox, folderId))) throw error;
    return [];
  }
};
