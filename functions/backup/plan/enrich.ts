import { PAGE_ITEMS } from "../../../shared/contracts/limits.ts";
import { type LiveItem, listItems } from "../../../shared/graph/items.ts";
import { type LookUpContext, lookUpAll, unlessRefused } from "./look-up.ts";

/** Most items that are asked for alone for their enrichment. The others stay without it, as a restore reports. */
const MAX_SINGLES = 10;

/**
 * Adds to changed items what delta does not return: subject, sender, search key, and what it left out. They come from a
 * listing of what was modified in the items' span of time, then from look-ups of items that it did not show: of all
 * that lack a documented field, and of a few others. What Graph refuses stays unknown: it never fails a run. An
 * item that has changed again is returned as it is now.
 */
export const enrich = async (context: LookUpContext, items: readonly LiveItem[]): Promise<LiveItem[]> => {
  const { graph, mailbox, folder } = context;
  const known = new Map<string, LiveItem>();
  const isOpen = ({ id }: LiveItem): boolean => !known.has(id);
  const times = items.flatMap(({ modified }) => modified ?? []).toSorted();
  if (times.length > 1) {
    const pages = 1 + Math.ceil(items.length / PAGE_ITEMS);
    const modified = { from: times[0] ?? "", to: secondAfter(times.at(-1) ?? "") };
    let link: string | undefined;
    for (let page = 0; page < pages && items.some(isOpen); page += 1) {
      const listed = await unlessRefused(() => listItems(graph, mailbox, folder.id, { link, modified }));
      for (const item of listed?.value ?? []) known.set(item.id, item);
      link = listed?.nextLink;
      if (link === undefined) break;
    }
  }
  const open = items.filter(isOpen);
  const wanted = [...open.filter(isSparse), ...open.filter((item) => !isSparse(item)).slice(0, MAX_SINGLES)];
  for (const [id, item] of await lookUpAll(context, [...new Set(wanted.map(({ id }) => id))]))
    if (typeof item === "object") known.set(id, item);
  return items.map((item) => ({ ...item, ...known.get(item.id) }));
};

/** Graph tells whole seconds, and compares the time that it has, which may be later by less than one. */
const secondAfter = (time: string): string => new Date(Date.parse(time) + 1000).toISOString();

/** Whether a documented field is missing. */
const isSparse = ({ type, sizeBytes, created, modified }: LiveItem): boolean =>
  [type, sizeBytes, created, modified].includes(undefined);
