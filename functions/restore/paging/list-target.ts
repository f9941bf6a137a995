import * as z from "zod";
import { allOf } from "../../../shared/bounded.ts";
import { hasFolder } from "../../../shared/graph/folders.ts";
import type { GraphClient } from "../../../shared/graph/graph-client.ts";
import { GraphError, isNotFound } from "../../../shared/graph/graph-error.ts";
import { type LiveItem, listItems } from "../../../shared/graph/items.ts";
import type { MailboxAddress } from "../../../shared/graph/mailbox-address.ts";
import { type Page, type Round, startRound } from "../../../shared/graph/page.ts";
import type { Blobs } from "../../../shared/storage/blobs.ts";
import { type Entry, keepRun, SortedRun } from "./sorted-runs.ts";

const Count = z.int().nonnegative();

/** Where the listing of a folder goes on: at its first page, or at a nextLink. */
const OpenFolder = z.object({ folder: Count, link: z.string().optional() });
type OpenFolder = z.output<typeof OpenFolder>;

/** How far the folders of a target are listed, each by its index. */
export const Listing = z.object({
  /** The first folder that nobody has begun. */
  next: Count,
  /** Folders that were begun, and are not at their end. */
  open: z.array(OpenFolder),
  /** Folders that somebody has deleted. */
  gone: z.array(Count),
  /** What was listed, as sorted runs. */
  runs: z.array(SortedRun),
});
export type Listing = z.output<typeof Listing>;

export const NOTHING_LISTED: Listing = { next: 0, open: [], gone: [], runs: [] };

/** A listing that goes on after some minutes: what is open begins anew, and items that come twice count once. */
export const afterRest = (listing: Listing): Listing => ({
  ...listing,
  open: listing.open.map(({ folder }) => ({ folder })),
});

/** Lanes for each slot: while one sorts out a page, another one's request is under way. */
const LANES_PER_SLOT = 2;

/** What lists a target: the slots are the client's. */
export interface Lister {
  readonly graph: GraphClient;
  readonly work: Blobs;
  readonly slots: number;
  /** Whether the step is to end. */
  readonly isOver: () => boolean;
  readonly runEntries: number;
}

/**
 * Goes on with listing folders, several at the same time, each page after page. Yields how far it came after every run
 * of entries, at the step's end, and before it throws what ended it early. Returns the whole listing, or `undefined`
 * when the step ended first.
 */
export async function* goOnListing<T>(
  { graph, work, slots, isOver, runEntries }: Lister,
  { mailbox, folders }: { readonly mailbox: MailboxAddress; readonly folders: readonly string[] },
  entryOf: (folder: number, live: LiveItem) => Entry<T>,
  from: Listing,
  nameOf: () => string,
): AsyncGenerator<Listing, Listing | undefined> {
  let listing = from;
  // The rounds of folders that are open here. One that another step left open begins a round of its own.
  const rounds = new Map<number, Round>();
  // Links that another step left. A folder whose link is refused by now is listed again: what comes twice counts once.
  const stored = new Set(from.open.flatMap(({ link }) => link ?? []));
  const isWhole = (): boolean => listing.next >= folders.length && listing.open.length === 0;
  while (!isWhole()) {
    const entries: Entry<T>[] = [];
    const waiting: OpenFolder[] = [...listing.open];
    const left: OpenFolder[] = [];
    const gone = [...listing.gone];
    let { next } = listing;
    let pages = 0;
    let failed = false;
    const isFull = (): boolean => failed || entries.length >= runEntries || isOver();
    const take = (): OpenFolder | undefined => {
      const open = waiting.shift();
      if (open !== undefined || next >= folders.length) return open;
      next += 1;
      return { folder: next - 1 };
    };

    const lane = async (): Promise<void> => {
      do {
        let open = take();
        while (open !== undefined) {
          const here = open;
          const { folder, link }: OpenFolder = here;
          const round = rounds.get(folder) ?? startRound("listing");
          rounds.set(folder, round);
          try {
            const page = await pageOf(graph, { mailbox, folder: folders[folder] ?? "", link }, round);
            for (const live of page?.value ?? []) entries.push(entryOf(folder, live));
            if (page === undefined) gone.push(folder);
            pages += 1;
            open = page?.nextLink === undefined ? undefined : { folder, link: page.nextLink };
          } catch (error) {
            if (link !== undefined && stored.delete(link) && isRefusedLink(error)) {
              open = { folder };
              continue;
            }
            failed = true;
            left.push(here);
            throw error;
          }
          if (open === undefined) rounds.delete(folder);
          else if (isFull()) {
            left.push(open);
            open = undefined;
          }
        }
      } while (!isFull() && (waiting.length > 0 || next < folders.length));
    };
    let failure: { readonly error: unknown } | undefined;
    try {
      await allOf(Array.from({ length: slots * LANES_PER_SLOT }, lane));
    } catch (error) {
      failure = { error };
    }
    if (pages > 0) {
      const runs = [...listing.runs, ...(await keepRun(work, nameOf(), entries))];
      listing = { next, open: [...left, ...waiting], gone, runs };
      if (!isWhole()) yield listing;
    }
    if (failure !== undefined) throw failure.error;
    if (!isWhole() && isOver()) return undefined;
  }
  return listing;
}

/** Statuses of a link that is not known any more, while the folder is there. Our own choice. */
const isRefusedLink = (error: unknown): boolean =>
  error instanceof GraphError && [400, 404, 410].includes(error.status);

/** A page of a folder; `undefined` when somebody has deleted the folder. */
const pageOf = async (
  graph: GraphClient,
  {
    mailbox,
    folder,
    link,
  }: { readonly mailbox: MailboxAddress; readonly folder: string; readonly link: string | undefined },
  round: Round,
): Promise<Page<LiveItem> | undefined> => {
  try {
    return await listItems(graph, mailbox, folder, { link }, round);
  } catch (error) {
    if (isNotFound(error) && !(await hasFolder(graph, mailbox, folder))) return undefined;
    throw error;
  }
};
