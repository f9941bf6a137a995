import * as z from "zod";
import { PAGE_ITEMS } from "../contracts/limits.ts";
import type { ItemFacts } from "../vault/records.ts";
import { ExtendedProperty, ITEM_EXPAND, readEnrichment } from "./extended-properties.ts";
import type { GraphClient } from "./graph-client.ts";
import { isNotFound } from "./graph-error.ts";
import { folderPath, type MailboxAddress } from "./mailbox-address.ts";
import { fetchElement, fetchPage, type Page, type Round, startRound } from "./page.ts";
import { utcTime } from "./utc-time.ts";

const Time = z.string().transform(utcTime).pipe(z.string());

const ItemResource = z.looseObject({
  id: z.string().min(1),
  changeKey: z.string().nullish(),
  type: z.string().nullish(),
  size: z.int().nonnegative().nullish(),
  createdDateTime: Time.nullish(),
  lastModifiedDateTime: Time.nullish(),
  categories: z.array(z.string()).nullish(),
  singleValueExtendedProperties: z.array(ExtendedProperty).nullish(),
});

/** What tells a removal. Only an object does; an empty reason is none. */
const Removal = z.looseObject({ reason: z.string().min(1).optional().catch(undefined) });

/** An element of a delta: an item, or the removal of one. */
const DeltaResource = ItemResource.extend({ "@removed": z.unknown().optional() });

/**
 * An item of a delta or a listing; only listings enrich. `sizeBytes` is what Graph announces, which is too low. A delta
 * may show little more than the id.
 */
export type LiveItem = ItemFacts;

/** An item that was removed from a folder: deleted, or moved elsewhere (`changed`). */
export interface RemovedItem {
  readonly id: string;
  readonly folderId: string;
  readonly removed: string;
}

/** Stands for the reason of a removal that Graph told without one. */
const UNKNOWN_REASON = "unknown";

const liveItem = (folderId: string, item: z.output<typeof ItemResource>): LiveItem => ({
  id: item.id,
  changeKey: item.changeKey ?? "",
  folderId,
  ...(item.type ? { type: item.type } : {}),
  ...(item.size == null ? {} : { sizeBytes: item.size }),
  ...(item.createdDateTime ? { created: item.createdDateTime } : {}),
  ...(item.lastModifiedDateTime ? { modified: item.lastModifiedDateTime } : {}),
  ...(item.categories ? { categories: item.categories } : {}),
  ...readEnrichment(item.singleValueExtendedProperties ?? []),
});

/** Which items a listing shows: all, those created since a time, or those last modified in a span of time. */
export interface ListOptions {
  /** A nextLink, which carries the options of its first request. */
  readonly link?: string | undefined;
  readonly createdSince?: string | undefined;
  readonly modified?: { readonly from: string; readonly to: string } | undefined;
}

const filterOf = ({ createdSince, modified }: ListOptions): string => {
  const clauses = [
    ...(createdSince === undefined ? [] : [`createdDateTime ge ${createdSince}`]),
    ...(modified === undefined
      ? []
      : [`lastModifiedDateTime ge ${modified.from}`, `lastModifiedDateTime le ${modified.to}`]),
  ];
  return clauses.length === 0 ? "" : `$filter=${encodeURIComponent(clauses.join(" and "))}&`;
};

/**
 * One page of a folder's listing with enrichment, from its start or a nextLink. The pages of one listing share a round.
 */
export const listItems = async (
  graph: GraphClient,
  mailbox: MailboxAddress,
  folderId: string,
  options: ListOptions = {},
  round?: Round,
): Promise<Page<LiveItem>> => {
  const query = `${filterOf(options)}$top=${PAGE_ITEMS}&$expand=${encodeURIComponent(ITEM_EXPAND)}`;
  const target = options.link ?? `${folderPath(mailbox, folderId)}/items?${query}`;
  const page = await fetchPage(graph, { operation: "GET items", target }, ItemResource, round);
  return { ...page, value: page.value.map((item) => liveItem(folderId, item)) };
};

/** One item with enrichment. @throws {GraphError} when it does not exist. */
export const findItem = async (
  graph: GraphClient,
  mailbox: MailboxAddress,
  folderId: string,
  id: string,
): Promise<LiveItem> => {
  const path = `${folderPath(mailbox, folderId)}/items/${encodeURIComponent(id)}`;
  const target = `${path}?$expand=${encodeURIComponent(ITEM_EXPAND)}`;
  return liveItem(folderId, await fetchElement(graph, { operation: "GET item", target }, ItemResource));
};

/**
 * Soft-deletes an item, as Exchange does: it can be recovered for as long as the mailbox keeps deleted items. Returns
 * false when it is not there. Needs MailboxItem.ReadWrite. The documentation names no condition on the version.
 * Source: learn.microsoft.com/graph/api/mailboxfolder-delete-items (2026-08).
 */
export const softDeleteItem = async (
  graph: GraphClient,
  mailbox: MailboxAddress,
  folderId: string,
  id: string,
): Promise<boolean> => {
  const target = `${folderPath(mailbox, folderId)}/items/${encodeURIComponent(id)}?disposalType=softDelete`;
  try {
    await graph.json({ operation: "DELETE item", target, method: "DELETE" }, z.unknown());
    return true;
  } catch (error) {
    if (!isNotFound(error)) throw error;
    return false;
  }
};

/** Every item of a folder's listing, or those created since a time. */
export async function* eachItem(
  graph: GraphClient,
  mailbox: MailboxAddress,
  folderId: string,
  options: { readonly createdSince?: string } = {},
): AsyncGenerator<LiveItem> {
  const round = startRound("listing");
  let link: string | undefined;
  do {
    const page: Page<LiveItem> = await listItems(graph, mailbox, folderId, { ...options, link }, round);
    yield* page.value;
    link = page.nextLink;
  } while (link !== undefined);
}

/**
 * One page of a folder's delta round, from its start, a nextLink, or the deltaLink of an earlier round. Where it is
 * unclear whether an item was removed, only its id is returned: it has to be looked up.
 */
export const deltaItems = async (
  graph: GraphClient,
  mailbox: MailboxAddress,
  folderId: string,
  link?: string,
  round: Round = startRound("delta"),
): Promise<Page<LiveItem | RemovedItem>> => {
  const page = await fetchPage(
    graph,
    {
      operation: "GET items/delta",
      target: link ?? `${folderPath(mailbox, folderId)}/items/delta`,
      headers: { prefer: `odata.maxpagesize=${PAGE_ITEMS}` },
    },
    DeltaResource,
    round,
  );
  const problems = [...page.problems];
  const value = page.value.map(({ "@removed": told, ...item }) => {
    if (told === undefined) return liveItem(folderId, item);
    const removal = Removal.safeParse(told);
    if (!removal.success) {
      problems.push({ id: item.id, what: "@removed is not of the documented form" });
      return liveItem(folderId, { id: item.id });
    }
    if (removal.data.reason === undefined) problems.push({ id: item.id, what: "@removed has no reason" });
    return { id: item.id, folderId, removed: removal.data.reason ?? UNKNOWN_REASON };
  });
  return { ...page, value, problems };
};
