import type { GraphClient } from "../../../shared/graph/graph-client.ts";
import { deltaItems, type LiveItem, listItems, type RemovedItem } from "../../../shared/graph/items.ts";
import type { MailboxAddress } from "../../../shared/graph/mailbox-address.ts";
import { type Page, type Round, startRound } from "../../../shared/graph/page.ts";
import type { RunFolder } from "../run-state.ts";

/** Most first pages that are held for the planner, at half a megabyte each. Our own choice. */
const MAX_AHEAD = 8;

/**
 * The pages of a mailbox's folders, with what is odd in them. First pages may be requested before the planner comes to
 * their folder. A listing or delta round that cannot end throws an error that `isBrokenAnswer` knows. The memory of a
 * round is here: one that a later wave goes on with is a new one there.
 */
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
  const rounds = new Map<string, Round>();
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

  /** Fetches a page in the round that its link goes on with, or in a new one. */
  const inRound = async <T>(
    kind: "list" | "delta",
    folderId: string,
    link: string | undefined,
    fetch: (round: Round) => Promise<Page<T>>,
  ): Promise<Page<T>> => {
    const key = keyOf(kind, folderId);
    const current = rounds.get(key);
    const round =
      current !== undefined && link !== undefined && current.isNext(link)
        ? current
        : startRound(kind === "list" ? "listing" : "delta");
    const page = await fetch(round);
    if (page.nextLink === undefined || page.deltaLink !== undefined) rounds.delete(key);
    else rounds.set(key, round);
    return page;
  };

  const list: ItemPages["list"] = (folderId, link) => {
    const page = take<LiveItem>(keyOf("list", folderId, link));
    return page ?? inRound("list", folderId, link, (round) => listItems(graph, mailbox, folderId, { link }, round));
  };

  const delta: ItemPages["delta"] = (folderId, link) => {
    const page = take<LiveItem | RemovedItem>(keyOf("delta", folderId, link));
    return page ?? inRound("delta", folderId, link, (round) => deltaItems(graph, mailbox, folderId, link, round));
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
