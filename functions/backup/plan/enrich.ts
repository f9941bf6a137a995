import { PAGE_ITEMS } from "../../../shared/contracts/limits.ts";
import { isBrokenAnswer } from "../../../shared/graph/broken-answer.ts";
import type { GraphClient } from "../../../shared/graph/graph-client.ts";
import { GraphError } from "../../../shared/graph/graph-error.ts";
import { findItem, listItems } from "../../../shared/graph/items.ts";
import type { MailboxAddress } from "../../../shared/graph/mailbox-address.ts";
import type { ItemFacts } from "../../../shared/vault/records.ts";

/** Most items that are asked for one by one; the others stay without enrichment, which a restore reports. */
const MAX_SINGLES = 10;

/**
 * Adds to changed items what delta does not return: subject, sender, search key. They come from a listing of what was
 * modified in the items' span of time, then from single requests for a few items that it did not show. An item for
 * which Graph refuses them stays without: a missing enrichment never fails a run.
 */
export const enrich = async (
  graph: GraphClient,
  mailbox: MailboxAddress,
  folderId: string,
  items: readonly ItemFacts[],
): Promise<ItemFacts[]> => {
  const known = new Map<string, ItemFacts>();
  const isOpen = ({ id, changeKey }: ItemFacts): boolean => known.get(id)?.changeKey !== changeKey;
  if (items.length > 1) {
    const pages = 1 + Math.ceil(items.length / PAGE_ITEMS);
    const times = items.map(({ modified }) => modified).toSorted();
    const modified = { from: times[0] ?? "", to: times.at(-1) ?? "" };
    let link: string | undefined;
    for (let page = 0; page < pages && items.some(isOpen); page += 1) {
      const listed = await unlessRefused(() => listItems(graph, mailbox, folderId, { link, modified }));
      for (const item of listed?.value ?? []) known.set(item.id, item);
      link = listed?.nextLink;
      if (link === undefined) break;
    }
  }
  for (const { id } of items.filter(isOpen).slice(0, MAX_SINGLES)) {
    const item = await unlessRefused(() => findItem(graph, mailbox, folderId, id));
    if (item !== undefined) known.set(id, item);
  }
  return items.map((item) => (isOpen(item) ? item : { ...known.get(item.id), ...item }));
};

/**
 * Returns what Graph answers; `undefined` for a refusal or an answer that stays broken, as an enrichment is not worth a
 * failure. Throttling is thrown: it ends the lane.
 */
export const unlessRefused = async <T>(ask: () => Promise<T>): Promise<T | undefined> => {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof GraphError && error.status >= 400 && error.status !== 429) return undefined;
    if (isBrokenAnswer(error)) return undefined;
    throw error;
  }
};
