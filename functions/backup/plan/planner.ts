import type { RunId } from "../../../shared/contracts/ids.ts";
import { isDeltaStateLost, isOverQuota } from "../../../shared/graph/delta-errors.ts";
import { hasFolder } from "../../../shared/graph/folders.ts";
import type { GraphClient } from "../../../shared/graph/graph-client.ts";
import { isNotFound } from "../../../shared/graph/graph-error.ts";
import type { MailboxAddress } from "../../../shared/graph/mailbox-address.ts";
import type { Blobs } from "../../../shared/storage/blobs.ts";
import type { ItemFacts } from "../../../shared/vault/records.ts";
import { type Chunk, type PlanCursor, type Removal, type RunFolder, readChunk } from "../run-state.ts";
import { CHUNK_ITEMS, intoBatches } from "./batching.ts";
import type { Catalogue } from "./catalogue.ts";
import type { ItemPages } from "./item-pages.ts";
import { type Draft, firstPhase, type Next, STEPS, type StepContext } from "./plan-steps.ts";
import { type PlannedItems, plannedItems, shortHash } from "./planned-items.ts";

/** Most pages in one chunk: a delta round that confirms a listing may have many pages without anything to export. */
const CHUNK_PAGES = 20;

/** How often Graph may lose a folder's delta state in one run before the folder is planned from its listing alone. */
const MAX_RESTARTS = 3;

interface Run {
  readonly mailbox: MailboxAddress;
  readonly runId: RunId;
  readonly folders: readonly RunFolder[];
}

/** What a planner knows of its current folder, for the planner that goes on from the same chunk. */
export interface CachedPlan {
  current?: { readonly folder: number; readonly planned: PlannedItems } | undefined;
}

/** The cursor that begins a folder, in the chunk that is being made. */
export const cursorAt = (folders: readonly RunFolder[], folder: number, folderChunk: number): PlanCursor => ({
  folder,
  phase: firstPhase(folders[folder] ?? { retry: [] }),
  restarts: 0,
  listOnly: false,
  folderChunk,
  carry: [],
});

/**
 * Plans a mailbox folder by folder, one chunk per call. A folder's changes since the last snapshot come from its
 * deltaLink, where Graph still accepts it, and otherwise from a listing that a delta round confirms. An item that the
 * catalogue holds in the same version is not planned. An item that the catalogue holds, and that neither listing nor
 * delta shows, was removed. A chunk ends early at the deadline, so that the other lanes do not wait for the planner.
 */
export const planner = (
  { graph, pages, work }: { readonly graph: GraphClient; readonly pages: ItemPages; readonly work: Blobs },
  catalogue: Catalogue,
  run: Run,
  cached: CachedPlan = {},
) => {
  const plannedAt = async (cursor: PlanCursor, chunk: number): Promise<PlannedItems> => {
    if (cached.current?.folder === cursor.folder) return cached.current.planned;
    const planned = await rebuild(work, run, cursor, chunk);
    cached.current = { folder: cursor.folder, planned };
    return planned;
  };

  return async (start: PlanCursor, number: number, deadline = Number.POSITIVE_INFINITY): Promise<Chunk> => {
    const draft: Draft = { items: [...start.carry], finished: [], departed: [], returned: [], confirmed: [] };
    let cursor: PlanCursor = { ...start, carry: [] };
    for (let steps = 0; steps < CHUNK_PAGES && draft.items.length < CHUNK_ITEMS; steps += 1) {
      const folder = run.folders[cursor.folder];
      if (folder === undefined || (steps > 0 && Date.now() >= deadline)) break;
      const planned = await plannedAt({ ...cursor, carry: start.carry }, number);
      const context = { graph, pages, mailbox: run.mailbox, folder, cursor, planned, catalogue, draft };
      const next = await step(context);
      if ("restart" in next) {
        cursor = next.restart;
      } else if (!("finished" in next)) {
        const { link: _, ...rest } = cursor;
        cursor = { ...rest, phase: next.phase, ...(next.link === undefined ? {} : { link: next.link }) };
      } else {
        if (cursor.phase !== "changes" && !next.folderGone) await addMissing(work, run, context, number);
        draft.finished.push({
          folderId: folder.id,
          ...(next.deltaLink === undefined ? {} : { deltaLink: next.deltaLink }),
        });
        cursor = cursorAt(run.folders, cursor.folder + 1, number);
      }
    }
    return close(draft, cursor, run.folders.length);
  };
};

/**
 * Runs a step. When Graph has lost the delta state, or refuses deltas, the folder is listed and compared instead. A
 * folder that was removed since the run opened is left to the next run, which will no longer find it.
 */
const step = async (context: StepContext): Promise<Next | { readonly restart: PlanCursor }> => {
  const { cursor } = context;
  try {
    return await STEPS[cursor.phase](context);
  } catch (error) {
    if (isNotFound(error) && !(await hasFolder(context.graph, context.mailbox, context.folder.id)))
      return { finished: true, folderGone: true };
    const refused = isOverQuota(error);
    if (!(refused || isDeltaStateLost(error)) || cursor.phase === "list") throw error;
    const { link: _, ...rest } = cursor;
    const restarts = cursor.restarts + 1;
    const listOnly = refused || restarts > MAX_RESTARTS;
    const phase = cursor.phase === "delta" && !listOnly ? "delta" : "list";
    if (phase === "list") context.planned.forgetListing();
    return { restart: { ...rest, phase, restarts, listOnly } };
  }
};

const close = ({ items, ...findings }: Draft, cursor: PlanCursor, folders: number): Chunk => {
  const carry = items.slice(CHUNK_ITEMS);
  const isLast = cursor.folder >= folders && carry.length === 0;
  const batches = intoBatches(items.slice(0, CHUNK_ITEMS));
  return { ...findings, batches, ...(isLast ? {} : { next: { ...cursor, carry } }) };
};

/** Adds the items that were listed or stored before and that delta did not confirm: they were removed meanwhile. */
const addMissing = async (
  work: Blobs,
  run: Run,
  { folder, cursor, planned, catalogue, draft }: StepContext,
  chunk: number,
): Promise<void> => {
  const addUnconfirmed = (id: string): void => {
    const short = shortHash(id);
    if (!planned.confirm(short)) return;
    draft.confirmed.push(short);
    draft.departed.push({ id, folderId: folder.id, reason: "deleted" });
  };
  if (!planned.allConfirmed) {
    for await (const { items } of folderSoFar(work, run, { ...cursor, carry: [] }, chunk))
      for (const { id } of items) addUnconfirmed(id);
    for (const { id } of draft.items.filter(({ folderId }) => folderId === folder.id)) addUnconfirmed(id);
  }
  if (folder.known) for await (const id of catalogue.idsIn(folder.id)) addUnconfirmed(id);
};

/** Rebuilds what is planned of the current folder from earlier chunks, which another delivery may have planned. */
const rebuild = async (work: Blobs, run: Run, cursor: PlanCursor, chunk: number): Promise<PlannedItems> => {
  const planned = plannedItems();
  for await (const { items, confirmed, removed } of folderSoFar(work, run, cursor, chunk)) {
    for (const item of items) {
      planned.list(item.id);
      planned.plan(item);
    }
    for (const short of confirmed) planned.confirm(short);
    for (const { id } of removed) planned.remove(id);
  }
  return planned;
};

async function* folderSoFar(
  work: Blobs,
  { runId, folders }: Run,
  { folder, folderChunk, carry }: PlanCursor,
  chunk: number,
): AsyncGenerator<{ items: ItemFacts[]; confirmed: readonly string[]; removed: readonly Removal[] }> {
  const folderId = folders[folder]?.id;
  const ofFolder = <T extends { folderId: string }>(items: readonly T[]) =>
    items.filter((item) => item.folderId === folderId);
  for (let earlier = folderChunk; earlier < chunk; earlier += 1) {
    const { batches, confirmed, departed } = await readChunk(work, runId, earlier);
    yield { items: ofFolder(batches.flat()), confirmed, removed: ofFolder(departed) };
  }
  yield { items: ofFolder(carry), confirmed: [], removed: [] };
}
