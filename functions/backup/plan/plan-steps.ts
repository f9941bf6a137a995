import type { GraphClient } from "../../../shared/graph/graph-client.ts";
import type { LiveItem, RemovedItem } from "../../../shared/graph/items.ts";
import type { MailboxAddress } from "../../../shared/graph/mailbox-address.ts";
import type { Page } from "../../../shared/graph/page.ts";
import type { Chunk, PlanCursor, PlannedItem, PlanPhase, RunFolder } from "../run-state.ts";
import type { Catalogue } from "./catalogue.ts";
import { enrich } from "./enrich.ts";
import type { ItemPages } from "./item-pages.ts";
import { lookUpAll, unlessRefused } from "./look-up.ts";
import { type PlannedItems, shortHash } from "./planned-items.ts";

/** With more unversioned items on a page than this, a listing tells their versions in fewer requests than look-ups. */
const MAX_UNVERSIONED = 10;

/** Items of the last snapshot that are planned again in one step: what does not fit into a chunk is written twice. */
const RETRY_ITEMS = 100;

/** What a step brings. */
export interface Draft {
  readonly items: PlannedItem[];
  readonly events: Chunk["events"];
  readonly problems: Chunk["problems"];
  /** The short hashes of the items that it was the first of its generation to show. */
  readonly seen: string[];
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

/**
 * Where the folder's planning goes on, or that it is finished: with its deltaLink if there is one, or `left` as it is
 * known so far, because the folder is gone or Graph does not tell what is in it.
 */
export type Next =
  | ({ readonly phase: PlanPhase } & Partial<Pick<PlanCursor, "link" | "unversioned" | "deltaLink">>)
  | { readonly finished: true; readonly deltaLink?: string; readonly left?: "gone" | "failed" };

/** One step of planning a folder: mostly one page. */
export type Step = (context: StepContext) => Promise<Next>;

/** Plans first what the last snapshot could not store. The steps after it do not plan these versions again. */
const retryStep: Step = async ({ folder, cursor, planned, draft }) => {
  const from = Number(cursor.link ?? 0);
  const to = from + RETRY_ITEMS;
  draft.items.push(...folder.retry.slice(from, to).filter((item) => planned.plan(item)));
  return to < folder.retry.length
    ? { phase: "retry", link: String(to) }
    : { phase: firstPhase({ ...folder, retry: [] }) };
};

/**
 * Plans a page of the listing, which is enriched, and which lets exporting start before delta has confirmed anything.
 * When Graph refuses to list, delta goes on alone: it shows every item too. A listing that follows a delta round, or
 * replaces it, decides what is in the folder.
 */
const listStep: Step = async (context) => {
  const { pages, folder, cursor, draft } = context;
  const { listOnly, deltaLink } = cursor;
  const list = () => pages.list(folder.id, cursor.link);
  const page = listOnly ? await list() : await unlessRefused(list);
  if (page === undefined) return deltaLink === undefined ? { phase: "delta" } : failedFolder(context, UNLISTED);
  tell(context, page);
  const decides = listOnly || deltaLink !== undefined;
  for (const item of page.value) {
    if (decides) see(context, item.id);
    if (await isNew(context, item)) draft.items.push(item);
  }
  if (page.nextLink !== undefined) return { phase: "list", link: page.nextLink, ...(deltaLink && { deltaLink }) };
  return decides ? { finished: true, ...(deltaLink && { deltaLink }) } : { phase: "delta" };
};

/**
 * The first delta round of a folder decides what is in it: items that the listing did not show are planned too. Where
 * the round does not tell versions, an item may have changed since it was listed, so a second listing tells them.
 */
const deltaStep: Step = async (context) => {
  const { pages, folder, cursor } = context;
  const page = await pages.delta(folder.id, cursor.link);
  tell(context, page);
  for (const { id } of page.value) see(context, id);
  const open = unversionedIn(page);
  const known = new Set<string>();
  if (open.length > MAX_UNVERSIONED) for (const id of open) if (await isKnown(context, id)) known.add(id);
  await takeChanges(context, page, (id) => !known.has(id));

  const unversioned = cursor.unversioned === true || known.size > 0;
  const { nextLink, deltaLink } = page;
  if (deltaLink === undefined) return { phase: "delta", link: nextLink, ...(unversioned && { unversioned }) };
  return unversioned ? { phase: "list", deltaLink } : { finished: true, deltaLink };
};

/** A later delta round shows only what changed. */
const changesStep: Step = async (context) => {
  const { pages, folder, cursor } = context;
  const page = await pages.delta(folder.id, cursor.link ?? folder.deltaLink);
  tell(context, page);
  await takeChanges(context, page, () => true);
  return page.deltaLink === undefined
    ? { phase: "changes", link: page.nextLink }
    : { finished: true, deltaLink: page.deltaLink };
};

/** The ids of a page whose versions it does not tell. */
const unversionedIn = ({ value }: Page<LiveItem | RemovedItem>): string[] => [
  ...new Set(value.flatMap((element) => ("removed" in element || element.changeKey !== "" ? [] : [element.id]))),
];

/** Plans what a page of delta shows, in its order. An item without a version is looked up if wanted. */
const takeChanges = async (
  context: StepContext,
  page: Page<LiveItem | RemovedItem>,
  isWanted: (id: string) => boolean,
): Promise<void> => {
  const { folder, draft, planned } = context;
  const lookedUp = await lookUpAll(context, unversionedIn(page).filter(isWanted));
  const changed: LiveItem[] = [];
  for (const element of page.value) {
    const item = { id: element.id, folderId: folder.id };
    const found = lookedUp.get(element.id);
    if ("removed" in element) {
      remove(context, item.id, element.removed);
    } else if (element.changeKey === "" && found === "gone") {
      remove(context, item.id, "deleted");
    } else {
      if (planned.reappear(element.id)) draft.events.push({ op: "reappeared", ...item });
      if (element.changeKey === "" && !isWanted(element.id)) continue;
      if (typeof found !== "object" && (await isNew(context, element))) changed.push(element);
      else if (typeof found === "object" && (await isNew(context, found))) draft.items.push(found);
    }
  }
  draft.items.push(...(await enrich(context, changed)));
};

const UNLISTED = "Graph refused to list the folder, and its delta does not tell the versions of items";

/** The end of a folder that Graph does not show whole. The next run lists it; until then, nothing of it is removed. */
export const failedFolder = ({ draft, folder }: Pick<StepContext, "draft" | "folder">, what: string): Next => {
  draft.problems.push({ what, folderId: folder.id });
  return { finished: true, left: "failed" };
};

/** Notes what is odd on a page. */
const tell = ({ draft, folder }: StepContext, { problems }: Pick<Page<unknown>, "problems">): void => {
  for (const { id, what } of problems)
    draft.problems.push({ what, folderId: folder.id, ...(id === undefined ? {} : { itemId: id }) });
};

/** Notes that an item is no longer in the folder. */
export const remove = ({ planned, draft, folder }: StepContext, id: string, reason: string): void => {
  planned.remove(id);
  draft.events.push({ op: "removed", id, folderId: folder.id, reason });
};

/** Notes that the generation shows an item. */
export const see = ({ planned, draft }: StepContext, id: string): void => {
  const short = shortHash(id);
  if (planned.see(short)) draft.seen.push(short);
};

/** Notes that a version is planned; false when it was planned before, or is in the snapshot that the run follows. */
export const isNew = async ({ planned, catalogue, folder }: StepContext, item: LiveItem): Promise<boolean> =>
  planned.plan(item) && !(folder.known && (await catalogue.holds(item)));

/** Whether any version of an item is planned, or in the snapshot that the run follows. */
const isKnown = async ({ planned, catalogue, folder }: StepContext, id: string): Promise<boolean> =>
  planned.has(id) || (folder.known && (await catalogue.has({ id, folderId: folder.id })));

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
