import type { GraphClient } from "../../shared/graph/graph-client.ts";
import { deltaItems, listItems } from "../../shared/graph/items.ts";
import type { RunId } from "../../shared/ids.ts";
import type { Blobs } from "../../shared/vault/blobs.ts";
import type { ItemFacts } from "../../shared/vault/records.ts";
import { type Chunk, type PlanCursor, type RunFolder, readChunk } from "../../shared/work/run-state.ts";
import { CHUNK_ITEMS, intoBatches } from "./batching.ts";
import { type PlannedItems, plannedItems, shortHash } from "./planned-items.ts";

/** Most pages one chunk is made of: a delta round that confirms a listing finds nothing to export for long. */
const CHUNK_PAGES = 20;

/** A chunk in the making: `items` are what it and the next one will hold. */
interface Draft {
  readonly items: ItemFacts[];
  readonly finished: Chunk["finished"];
  readonly departed: Chunk["departed"];
  readonly returned: Chunk["returned"];
  readonly confirmed: string[];
}

interface Run {
  readonly mailboxId: string;
  readonly runId: RunId;
  readonly folders: readonly RunFolder[];
}

export const firstCursor: PlanCursor = { folder: 0, phase: "list", folderChunk: 0, carry: [] };

/**
 * Plans a whole mailbox folder by folder, a chunk at each call: first the listing, which enriches and lets exporting
 * start at once, then a delta round, which is the authority. What delta shows and the listing did not, or in another
 * version, is planned too; what delta does not show has departed. Its deltaLink ends the folder.
 */
export const fullPlanner = (graph: GraphClient, work: Blobs, run: Run) => {
  let known: { readonly folder: number; readonly planned: PlannedItems } | undefined;

  const plannedAt = async (cursor: PlanCursor, chunk: number): Promise<PlannedItems> => {
    if (known?.folder !== cursor.folder)
      known = { folder: cursor.folder, planned: await recall(work, run, cursor, chunk) };
    return known.planned;
  };

  return async (start: PlanCursor, number: number): Promise<Chunk> => {
    const draft: Draft = { items: [...start.carry], finished: [], departed: [], returned: [], confirmed: [] };
    let cursor: PlanCursor = { ...start, carry: [] };
    for (let pages = 0; pages < CHUNK_PAGES && draft.items.length < CHUNK_ITEMS; pages += 1) {
      const folder = run.folders[cursor.folder];
      if (folder === undefined) break;
      const planned = await plannedAt({ ...cursor, carry: start.carry }, number);
      const step = cursor.phase === "list" ? listStep : deltaStep;
      const next = await step(graph, run.mailboxId, folder, cursor, planned, draft);
      if (next === "finished" && !planned.allConfirmed) await takeBack(work, run, cursor, number, planned, draft);
      cursor =
        next === "finished"
          ? { ...firstCursor, folder: cursor.folder + 1, folderChunk: number }
          : { ...cursor, ...next };
    }
    return close(draft, cursor, run.folders.length);
  };
};

const close = ({ items, ...findings }: Draft, cursor: PlanCursor, folders: number): Chunk => {
  const carry = items.slice(CHUNK_ITEMS);
  const isLast = cursor.folder >= folders && carry.length === 0;
  const batches = intoBatches(items.slice(0, CHUNK_ITEMS));
  return { ...findings, batches, ...(isLast ? {} : { next: { ...cursor, carry } }) };
};

type Next = { readonly phase: PlanCursor["phase"]; readonly link: string | undefined } | "finished";

const listStep = async (
  graph: GraphClient,
  mailboxId: string,
  folder: RunFolder,
  { link }: PlanCursor,
  planned: PlannedItems,
  draft: Draft,
): Promise<Next> => {
  const page = await listItems(graph, mailboxId, folder.id, { link });
  draft.items.push(...page.value.filter((item) => planned.list(item)));
  return page.nextLink === undefined ? { phase: "delta", link: undefined } : { phase: "list", link: page.nextLink };
};

const deltaStep = async (
  graph: GraphClient,
  mailboxId: string,
  folder: RunFolder,
  { link }: PlanCursor,
  planned: PlannedItems,
  draft: Draft,
): Promise<Next> => {
  const page = await deltaItems(graph, mailboxId, folder.id, link);
  for (const element of page.value) {
    const short = shortHash(element.id);
    if (planned.confirm(short)) draft.confirmed.push(short);
    const item = { id: element.id, folderId: folder.id };
    if ("removed" in element) {
      draft.departed.push({ ...item, reason: element.removed });
    } else {
      draft.returned.push(...draft.departed.filter(({ id }) => id === element.id).map(() => item));
      if (planned.plan(element)) draft.items.push(element);
    }
  }
  if (page.deltaLink === undefined) return { phase: "delta", link: page.nextLink };
  draft.finished.push({ folderId: folder.id, deltaLink: page.deltaLink });
  return "finished";
};

/** What earlier chunks of the chain, perhaps planned by another delivery, know of the folder at hand. */
const recall = async (work: Blobs, run: Run, cursor: PlanCursor, chunk: number): Promise<PlannedItems> => {
  const planned = plannedItems();
  for await (const { items, confirmed } of folderSoFar(work, run, cursor, chunk)) {
    for (const item of items) planned.list(item);
    for (const short of confirmed) planned.confirm(short);
  }
  return planned;
};

/** Items that were listed and that delta never showed have departed in between. */
const takeBack = async (
  work: Blobs,
  run: Run,
  cursor: PlanCursor,
  chunk: number,
  planned: PlannedItems,
  draft: Draft,
): Promise<void> => {
  const folderId = run.folders[cursor.folder]?.id ?? "";
  const reclaim = (items: readonly ItemFacts[]): void => {
    for (const { id } of items.filter((item) => item.folderId === folderId)) {
      if (planned.confirm(shortHash(id))) draft.departed.push({ id, folderId, reason: "deleted" });
    }
  };
  for await (const { items } of folderSoFar(work, run, { ...cursor, carry: [] }, chunk)) reclaim(items);
  reclaim(draft.items);
};

async function* folderSoFar(
  work: Blobs,
  { runId, folders }: Run,
  { folder, folderChunk, carry }: PlanCursor,
  chunk: number,
): AsyncGenerator<{ items: ItemFacts[]; confirmed: readonly string[] }> {
  const folderId = folders[folder]?.id;
  const ofFolder = (items: readonly ItemFacts[]) => items.filter((item) => item.folderId === folderId);
  for (let earlier = folderChunk; earlier < chunk; earlier += 1) {
    const { batches, confirmed } = await readChunk(work, runId, earlier);
    yield { items: ofFolder(batches.flat()), confirmed };
  }
  yield { items: ofFolder(carry), confirmed: [] };
}
