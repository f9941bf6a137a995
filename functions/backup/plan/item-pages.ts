import type { GraphClient } from "../../../shared/graph/graph-client.ts";
import { deltaItems, type LiveItem, listItems, type RemovedItem } from "../../../shared/graph/items.ts";
import type { MailboxAddress } from "../../../shared/graph/mailbox-address.ts";
import { type Page, type Round, startRound } from "../../../shared/graph/page.ts";
import type { RunFolder } from "../run-state.ts";

/** Most first pages that are held for planning, at half a megabyte each. Our own choice. */
const MAX_FIRST = 4;

type Kind = "list" | "delta";

interface FirstPage {
  readonly round: Round;
  readonly page: Promise<Page<LiveItem | RemovedItem>>;
}

/** First pages of folders, which are requested while other folders are still being found. */
export interface FirstPages {
  /** Requests the first pages of folders, in order, as long as not too many are held. A failure is thrown by `take`. */
  offer(folders: readonly RunFolder[]): void;
  /** A page that was requested, once. */
  take(kind: Kind, folderId: string, link: string | undefined): FirstPage | undefined;
  /** Resolves when none is under way any more. */
  settled(): Promise<void>;
}

const keyOf = (kind: Kind, folderId: string, link = ""): string => `${kind}\n${folderId}\n${link}`;

const newRound = (kind: Kind): Round => startRound(kind === "list" ? "listing" : "delta");

export const firstPages = (graph: GraphClient, mailbox: MailboxAddress): FirstPages => {
  const held = new Map<string, FirstPage>();
  const asked = new Set<string>();
  return {
    offer: (folders) => {
      for (const { id, deltaLink } of folders) {
        if (held.size >= MAX_FIRST) return;
        if (asked.has(id)) continue;
        asked.add(id);
        const kind = deltaLink === undefined ? "list" : "delta";
        const round = newRound(kind);
        const page: Promise<Page<LiveItem | RemovedItem>> =
          deltaLink === undefined
            ? listItems(graph, mailbox, id, {}, round)
            : deltaItems(graph, mailbox, id, deltaLink, round);
        page.catch(() => undefined);
        held.set(keyOf(kind, id, deltaLink), { round, page });
      }
    },
    take: (kind, folderId, link) => {
      const key = keyOf(kind, folderId, link);
      const page = held.get(key);
      held.delete(key);
      return page;
    },
    settled: async () => {
      await Promise.allSettled([...held.values()].map(({ page }) => page));
    },
  };
};

/**
 * The pages of a mailbox's folders, with what is odd in them. A listing or delta round that cannot end throws an error
 * that `isBrokenAnswer` knows. The memory of a round is here: one that a later wave goes on with is a new one there.
 */
export interface ItemPages {
  /** A page of a folder's listing, from its start or a nextLink. */
  list(folderId: string, link?: string): Promise<Page<LiveItem>>;
  /** A page of a folder's delta round, from its start, a nextLink or a deltaLink. */
  delta(folderId: string, link?: string): Promise<Page<LiveItem | RemovedItem>>;
}

export const itemPages = (graph: GraphClient, mailbox: MailboxAddress, first?: Pick<FirstPages, "take">): ItemPages => {
  const rounds = new Map<string, Round>();

  /** Returns a page that was requested before, or fetches it in the round that its link goes on with, or a new one. */
  const inRound = async <T>(
    kind: Kind,
    folderId: string,
    link: string | undefined,
    fetch: (round: Round) => Promise<Page<T>>,
  ): Promise<Page<T>> => {
    const key = keyOf(kind, folderId);
    const requested = first?.take(kind, folderId, link);
    const current = rounds.get(key);
    const goesOn = current !== undefined && link !== undefined && current.isNext(link);
    const round = requested?.round ?? (goesOn ? current : newRound(kind));
    const page = await ((requested?.page as Promise<Page<T>> | undefined) ?? fetch(round));
    if (page.nextLink === undefined || page.deltaLink !== undefined) rounds.delete(key);
    else rounds.set(key, round);
    return page;
  };

  return {
    list: (folderId, link) =>
      inRound("list", folderId, link, (round) => listItems(graph, mailbox, folderId, { link }, round)),
    delta: (folderId, link) =>
      inRound("delta", folderId, link, (round) => deltaItems(graph, mailbox, folderId, link, round)),
  };
};
