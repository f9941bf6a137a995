import type { GraphClient } from "../../../shared/graph/graph-client.ts";
import { deltaItems, eachItem } from "../../../shared/graph/items.ts";
import type { MailboxAddress } from "../../../shared/graph/mailbox-address.ts";
import { startRound } from "../../../shared/graph/page.ts";
import { itemSet } from "../../../shared/vault/item-set.ts";
import { lookUpFolder } from "../plan/folder-book.ts";
import { lookUpAll, unlessRefused } from "../plan/look-up.ts";
import type { ComparedFolder } from "../run-state.ts";

/** A folder with more items is listed by the next run, in its waves: here that would take too long. Our own choice. */
const MAX_LISTED = 20_000;

/** Most items of a folder that are looked up one by one. With more of them in doubt, the next run lists the folder. */
const MAX_DOUBTFUL = 100;

/** What the snapshot in the making has. */
export interface Books {
  /** How many items it has of a folder. */
  count(folderId: string): number;
  has(item: { readonly folderId: string; readonly id: string }): boolean | Promise<boolean>;
  /** The ids of the items that it has of a folder. */
  idsIn(folderId: string): AsyncIterable<string>;
  /** Whether it tells of an item that it lacks. */
  tells(item: { readonly folderId: string; readonly id: string }): boolean;
}

/** A folder that a run has planned. */
export interface CountedFolder {
  readonly id: string;
  readonly itemCount: number;
  /** Whether this run read `itemCount`. */
  readonly isCounted?: boolean | undefined;
  /** Graph's number of the last snapshot, and how many items that had when the two agreed. */
  readonly itemCountBefore?: number | undefined;
  readonly heldItems?: number | undefined;
  /** Where the next run will go on. */
  readonly deltaLink?: string | undefined;
}

/**
 * Compares what a snapshot has of a folder with what Graph says that the folder holds. Where the numbers differ by more
 * than they did before, they are compared once more with what has changed since the folder was planned, and then item
 * by item: an item that was there before the run began and that the books lack, or one that they have and that is gone
 * without a removal, is a problem. Where the listing agrees with the books, they agree, and the difference is expected
 * from then on.
 *
 * @returns no number where there is nothing to compare: Graph tells none, or the folder is gone.
 * @throws {GraphError} when Graph throttles beyond the budget, or is down.
 */
export const compareCounts = async (comparison: Comparison, folder: CountedFolder): Promise<ComparedFolder> => {
  const { graph, mailbox, books } = comparison;
  const { id: folderId, itemCountBefore, heldItems } = folder;
  const has = books.count(folderId);
  const uncounted = itemCountBefore === undefined || heldItems === undefined ? 0 : itemCountBefore - heldItems;
  const agreed = { folderId, itemCount: has + uncounted, heldItems: has };
  if (folder.isCounted && folder.itemCount === agreed.itemCount) return agreed;

  const later = await changesSince(comparison, folder);
  const now = await lookUpFolder(graph, mailbox, folderId);
  if (typeof now === "string" || typeof now.totalItemCount !== "number") return { folderId };
  const itemCount = now.totalItemCount - later.balance;
  if (itemCount === agreed.itemCount) return agreed;

  const wrong = itemCount > MAX_LISTED ? "unlisted" : await differences(comparison, folderId, later.told);
  if (wrong === undefined) return { folderId, itemCount, heldItems: has };
  const how =
    wrong === "unlisted"
      ? "they are compared when the next run has listed it"
      : `${wrong.missing} are missing, ${wrong.surplus} are gone without a removal`;
  return { folderId, itemCount, problem: `the folder holds ${itemCount} items, and the snapshot has ${has}: ${how}` };
};

interface Comparison {
  readonly graph: GraphClient;
  readonly mailbox: MailboxAddress;
  readonly books: Books;
  /** When the run began. */
  readonly started: string;
}

/**
 * What a delta round has told since the folder was planned: it is the next run's to store. What it tells without a
 * version may as well be a removal, and is looked up.
 */
const changesSince = async (
  { graph, mailbox, books }: Comparison,
  { id: folderId, deltaLink }: CountedFolder,
): Promise<{ readonly told: ReadonlySet<string>; readonly balance: number }> => {
  const there = new Map<string, boolean>();
  const unclear = new Set<string>();
  const round = startRound("delta");
  for (let link = deltaLink; link !== undefined; ) {
    const from = link;
    const page = await unlessRefused(() => deltaItems(graph, mailbox, folderId, from, round));
    for (const element of page?.value ?? []) {
      there.set(element.id, !("removed" in element));
      if (!("removed" in element) && element.changeKey === "") unclear.add(element.id);
    }
    link = page?.nextLink;
  }
  for (const [id, found] of await lookUpAll({ graph, mailbox, folder: { id: folderId } }, [...unclear]))
    there.set(id, found !== "gone");
  let balance = 0;
  for (const [id, isThere] of there) balance += Number(isThere) - Number(await books.has({ folderId, id }));
  return { told: new Set(there.keys()), balance };
};

/** What the books and a listing disagree on; `undefined` for nothing, `unlisted` where Graph does not list. */
const differences = async (
  { graph, mailbox, books, started }: Comparison,
  folderId: string,
  told: ReadonlySet<string>,
): Promise<{ missing: number; surplus: number } | "unlisted" | undefined> => {
  const listed = itemSet();
  const missing: string[] = [];
  const isListed = await unlessRefused(async () => {
    for await (const { id, created } of eachItem(graph, mailbox, folderId)) {
      if (!listed.add({ folderId, id }) || told.has(id)) continue;
      const isOlder = created === undefined || Date.parse(created) < Date.parse(started);
      if (isOlder && !books.tells({ folderId, id }) && !(await books.has({ folderId, id }))) missing.push(id);
    }
    return true;
  });
  const surplus: string[] = [];
  for await (const id of books.idsIn(folderId)) if (!listed.has({ folderId, id }) && !told.has(id)) surplus.push(id);
  if (!isListed || missing.length + surplus.length > MAX_DOUBTFUL) return "unlisted";

  const found = await lookUpAll({ graph, mailbox, folder: { id: folderId } }, [...missing, ...surplus]);
  const wrong = {
    missing: missing.filter((id) => found.get(id) !== "gone").length,
    surplus: surplus.filter((id) => found.get(id) === "gone").length,
  };
  return wrong.missing + wrong.surplus > 0 ? wrong : undefined;
};
