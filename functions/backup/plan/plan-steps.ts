import type { GraphClient } from "../../../shared/graph/graph-client.ts";
import type { MailboxAddress } from "../../../shared/graph/mailbox-address.ts";
import type { ItemFacts } from "../../../shared/vault/records.ts";
import type { Chunk, PlanCursor, PlanPhase, RunFolder } from "../run-state.ts";
import type { Catalogue } from "./catalogue.ts";
import { enrich, unlessRefused } from "./enrich.ts";
import type { ItemPages } from "./item-pages.ts";
import { type PlannedItems, shortHash } from "./planned-items.ts";

/** A chunk in the making. `items` are those of the chunk, and of the next one if there are too many. */
export interface Draft {
  readonly items: ItemFacts[];
  readonly finished: Chunk["finished"];
  readonly events: Chunk["events"];
  /** Notes, by its short hash, that a generation showed an item. */
  see(generation: number, short: string): void;
}

/** What a step works with. */
export interface StepContext {
  readonly graph: GraphClient;
  readonly pages: ItemPages;
  readonly mailbox: MailboxAddress;
  readonly folder: RunFolder;
  readonly cursor: PlanCursor;
  readonly planned: PlannedItems;
  readonly catalogue: Catalogue;
  readonly draft: Draft;
}

/** Where the folder's planning goes on, or that it is finished, with its deltaLink if there is one. */
export type Next =
  | { readonly phase: PlanPhase; readonly link?: string | undefined }
  | { readonly finished: true; readonly deltaLink?: string; readonly folderGone?: true };

/** One step of planning a folder: mostly one page. */
export type Step = (context: StepContext) => Promise<Next>;

/** Plans first what the last snapshot could not store. The steps after it do not plan these versions again. */
const retryStep: Step = async ({ folder, planned, draft }) => {
  draft.items.push(...folder.retry.filter((item) => planned.plan(item)));
  return { phase: firstPhase({ ...folder, retry: [] }) };
};

/**
 * Plans a page of the listing, which is enriched, and which lets exporting start before delta has confirmed anything.
 * When Graph refuses to list, delta goes on alone: it shows every item too.
 */
const listStep: Step = async (context) => {
  const { pages, folder, cursor, draft } = context;
  const list = () => pages.list(folder.id, cursor.link);
  const page = cursor.listOnly ? await list() : await unlessRefused(list);
  if (page === undefined) return { phase: "delta" };
  for (const item of page.value) {
    if (cursor.listOnly) see(context, item.id);
    if (await isNew(context, item)) draft.items.push(item);
  }
  if (page.nextLink !== undefined) return { phase: "list", link: page.nextLink };
  return cursor.listOnly ? { finished: true } : { phase: "delta" };
};

/** The first delta round of a folder decides what is in it: items that the listing did not show are planned too. */
const deltaStep: Step = async (context) => changes(context, "delta");

/** A later delta round shows only what changed. */
const changesStep: Step = async (context) => changes(context, "changes");

const changes = async (context: StepContext, phase: "delta" | "changes"): Promise<Next> => {
  const { graph, pages, mailbox, folder, cursor, planned, draft } = context;
  const page = await pages.delta(folder.id, cursor.link ?? linkOf(folder, phase));
  const changed: ItemFacts[] = [];
  for (const element of page.value) {
    const item = { id: element.id, folderId: folder.id };
    if (phase === "delta") see(context, element.id);
    if ("removed" in element) {
      draft.events.push({ op: "removed", ...item, reason: element.removed });
      planned.remove(element.id);
    } else {
      if (planned.reappear(element.id)) draft.events.push({ op: "reappeared", ...item });
      if (await isNew(context, element)) changed.push(element);
    }
  }
  draft.items.push(...(await enrich(graph, mailbox, folder.id, changed)));
  return page.deltaLink === undefined ? { phase, link: page.nextLink } : { finished: true, deltaLink: page.deltaLink };
};

const linkOf = (folder: RunFolder, phase: "delta" | "changes"): string | undefined =>
  phase === "changes" ? folder.deltaLink : undefined;

/** Notes that the generation shows an item. */
export const see = ({ planned, draft, cursor }: StepContext, id: string): void => {
  const short = shortHash(id);
  if (planned.see(short)) draft.see(cursor.generation, short);
};

/** Notes that a version is planned; false when it was planned before, or is in the snapshot that the run follows. */
export const isNew = async ({ planned, catalogue, folder }: StepContext, item: ItemFacts): Promise<boolean> =>
  planned.plan(item) && !(folder.known && (await catalogue.holds(item)));

export const STEPS: Readonly<Record<PlanPhase, Step>> = {
  retry: retryStep,
  changes: changesStep,
  list: listStep,
  delta: deltaStep,
};

export const firstPhase = ({ retry, deltaLink }: Pick<RunFolder, "retry" | "deltaLink">): PlanPhase => {
  if (retry.length > 0) return "retry";
  return deltaLink === undefined ? "list" : "changes";
};
