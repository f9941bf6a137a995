import { type CopyCounter, copyCounter } from "../../../shared/copy-counter.ts";
import type { GraphClient } from "../../../shared/graph/graph-client.ts";
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
    for await (const item of eachItem(graph, mailbox, folderId)) {
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
  const createdSince = wholeSecond(since);
  for (const folderId of folderIds)
    for await (const { id, searchKey } of eachItem(graph, mailbox, folderId, { createdSince }))
      if (ids.has(id)) copies.add(folderId, searchKey);
  return copies;
};
