import type { GraphClient } from "../../../shared/graph/graph-client.ts";
import { deltaItems, type LiveItem, listItems, type RemovedItem } from "../../../shared/graph/items.ts";
import type { MailboxAddress } from "../../../shared/graph/mailbox-address.ts";
import type { Page } from "../../../shared/graph/page.ts";
import type { RunFolder } from "../run-state.ts";

/** Most first pages that are held for the planner, at half a megabyte each. Our own choice. */
const MAX_AHEAD = 8;

/** The pages of a mailbox's folders. First pages may be requested before the planner comes to their folder. */
export interface ItemPages {
  /** A page of a folder's listing, from its start or a nextLink. */
  list(folderId: string, link?: string): Promise<Page<LiveItem>>;
  /** A page of a folder's delta round, from its start, a nextLink or a deltaLink. */
  delta(folderId: string, link?: string): Promise<Page<LiveItem | RemovedItem>>;
  /** Adds folders that will be planned, in order. */
  offer(folders: readonly RunFolder[]): void;
  /** Requests the first page of the next offered folder. Resolves when it ends; a failure is thrown to the planner. */
  lookAhead(): Promise<void> | undefined;
  /** Resolves when no page that was requested ahead is under way any more. */
  settled(): Promise<void>;
}

export const itemPages = (graph: GraphClient, mailbox: MailboxAddress): ItemPages => {
  const ahead = new Map<string, Promise<Page<LiveItem | RemovedItem>>>();
  const underWay = new Set<Promise<void>>();
  const offered: RunFolder[] = [];
  const begun = new Set<string>();

  const keyOf = (kind: "list" | "delta", folderId: string, link = ""): string => `${kind}\n${folderId}\n${link}`;

  /** A page that was requested ahead is returned once. */
  const take = <T>(key: string): Promise<Page<T>> | undefined => {
    const page = ahead.get(key);
    ahead.delete(key);
    return page as Promise<Page<T>> | undefined;
  };

  const list: ItemPages["list"] = (folderId, link) => {
    const page = take<LiveItem>(keyOf("list", folderId, link));
    return page ?? listItems(graph, mailbox, folderId, { link });
  };

  const delta: ItemPages["delta"] = (folderId, link) => {
    const page = take<LiveItem | RemovedItem>(keyOf("delta", folderId, link));
    return page ?? deltaItems(graph, mailbox, folderId, link);
  };

  /** Requests a folder's first page, for the planner to take. */
  const ask = ({ id, deltaLink }: RunFolder): Promise<void> => {
    const isListed = deltaLink === undefined;
    const page: Promise<Page<LiveItem | RemovedItem>> = isListed ? list(id) : delta(id, deltaLink);
    ahead.set(isListed ? keyOf("list", id) : keyOf("delta", id, deltaLink), page);
    const settled = page.then(
      () => undefined,
      () => undefined,
    );
    underWay.add(settled);
    return settled.finally(() => underWay.delete(settled));
  };

  return {
    list: (folderId, link) => {
      begun.add(folderId);
      return list(folderId, link);
    },
    delta: (folderId, link) => {
      begun.add(folderId);
      return delta(folderId, link);
    },
    offer: (folders) => {
      offered.push(...folders);
    },
    lookAhead: () => {
      if (ahead.size >= MAX_AHEAD) return undefined;
      for (let folder = offered.shift(); folder !== undefined; folder = offered.shift()) {
        if (begun.has(folder.id)) continue;
        begun.add(folder.id);
        return ask(folder);
      }
      return undefined;
    },
    settled: async () => {
      await Promise.all(underWay);
    },
  };
};
