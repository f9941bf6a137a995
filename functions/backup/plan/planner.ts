import type { RunId } from "../../../shared/contracts/ids.ts";
import { isBrokenAnswer } from "../../../shared/graph/broken-answer.ts";
import { isDeltaStateLost, isOverQuota } from "../../../shared/graph/delta-errors.ts";
import { hasFolder } from "../../../shared/graph/folders.ts";
import type { GraphClient } from "../../../shared/graph/graph-client.ts";
import { GraphError, isNotFound } from "../../../shared/graph/graph-error.ts";
import type { MailboxAddress } from "../../../shared/graph/mailbox-address.ts";
import type { Blobs } from "../../../shared/storage/blobs.ts";
import { type Chunk, type PlanCursor, type PlannedItem, type RunFolder, readChunk } from "../run-state.ts";
import { CHUNK_ITEMS, intoBatches } from "./batching.ts";
import type { Catalogue } from "./catalogue.ts";
import type { ItemPages } from "./item-pages.ts";
import { type Draft, failedFolder, firstPhase, type Next, STEPS, type StepContext } from "./plan-steps.ts";
import { type PlannedItems, plannedItems } from "./planned-items.ts";
import { proveMissing } from "./prove-missing.ts";

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
export const cursorAt = (
  folders: readonly RunFolder[],
  folder: number,
  { folderChunk, generation }: Pick<PlanCursor, "folderChunk" | "generation">,
): PlanCursor => ({
  folder,
  phase: firstPhase(folders[folder] ?? { retry: [] }),
  generation,
  restarts: 0,
  listOnly: false,
  folderChunk,
  carry: [],
});

/**
 * Plans a mailbox folder by folder, one chunk per call. A folder's changes since the last snapshot come from its
 * deltaLink, where Graph still accepts it, and otherwise from a listing that a delta round confirms. An item that the
 * catalogue holds in the same version is not planned. An item is removed when delta says so, or when a whole round does
 * not show it and a look-up does not find it. A chunk ends early at the deadline, so that the other lanes do not wait
 * for the planner.
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
    const draft = draftOf(start.carry);
    let cursor: PlanCursor = { ...start, carry: [] };
    for (let steps = 0; steps < CHUNK_PAGES && draft.items.length < CHUNK_ITEMS; steps += 1) {
      const folder = run.folders[cursor.folder];
      if (folder === undefined || (steps > 0 && Date.now() >= deadline)) break;
      const planned = await plannedAt({ ...cursor, carry: start.carry }, number);
      const context = { graph, pages, mailbox: run.mailbox, folder, cursor, planned, catalogue, draft };
      const next = await step(context);
      if ("restart" in next) {
        cursor = next.restart;
        planned.begin();
      } else if (!("finished" in next)) {
        const isNewRound = next.phase !== cursor.phase;
        if (isNewRound) planned.begin();
        cursor = { ...startOf(cursor), ...next, generation: cursor.generation + (isNewRound ? 1 : 0) };
      } else {
        draft.finished.push(await finish(work, run, context, next, number));
        cursor = cursorAt(run.folders, cursor.folder + 1, { folderChunk: number, generation: cursor.generation + 1 });
      }
    }
    return close(draft, cursor, run.folders.length);
  };
};

/** A cursor without its place in a round. */
const startOf = ({ link: _l, unversioned: _u, deltaLink: _d, ...cursor }: PlanCursor): PlanCursor => cursor;

const draftOf = (carry: readonly PlannedItem[]): Draft & { readonly seen: Map<number, string[]> } => {
  const seen = new Map<number, string[]>();
  return {
    items: [...carry],
    finished: [],
    events: [],
    problems: [],
    seen,
    see: (generation, short) => {
      const items = seen.get(generation);
      if (items === undefined) seen.set(generation, [short]);
      else items.push(short);
    },
  };
};

/**
 * A folder that is planned to its end. Its deltaLink is kept where every item is accounted for; without one, the next
 * run lists the folder again, and asks again for the items that Graph gave no clear answer for.
 */
const finish = async (
  work: Blobs,
  run: Run,
  context: StepContext,
  { deltaLink, left }: Extract<Next, { finished: true }>,
  chunk: number,
): Promise<Chunk["finished"][number]> => {
  const { folder, cursor, catalogue, planned } = context;
  if (left === "failed") return { folderId: folder.id, failed: true };
  // The old link goes on counting. New ones of all quiet folders would be most of what a quiet run writes.
  if (cursor.phase === "changes" && planned.isEmpty) return { folderId: folder.id };
  const finished = { folderId: folder.id, ...(deltaLink === undefined ? {} : { deltaLink }) };
  if (cursor.phase === "changes" || left === "gone") return finished;
  const proof = await proveMissing(context, knownIds(catalogue, folder), plannedSoFar(work, run, context, chunk));
  return proof === "whole" ? { ...finished, listed: true } : { folderId: folder.id, listed: true };
};

/** The ids of the items that the last snapshot has of a folder, and of those that it left out for good. */
async function* knownIds(catalogue: Catalogue, { id, known, lost }: RunFolder): AsyncGenerator<string> {
  if (known) yield* catalogue.idsIn(id);
  for (const item of lost) yield item.id;
}

/**
 * Runs a step. When Graph has lost the delta state, or refuses deltas, the folder is listed and compared instead. A
 * folder that was removed since the run opened is left to the next run, which will no longer find it. One whose pages
 * stay broken or are refused, while the mailbox answers, fails alone.
 */
const step = async (context: StepContext): Promise<Next | { readonly restart: PlanCursor }> => {
  const { cursor } = context;
  try {
    return await STEPS[cursor.phase](context);
  } catch (error) {
    if (isNotFound(error) && !(await hasFolder(context.graph, context.mailbox, context.folder.id)))
      return { finished: true, left: "gone" };
    const refused = isOverQuota(error);
    if (!(refused || isDeltaStateLost(error)) || cursor.phase === "list") {
      if (!isOfFolder(error) || !(await hasFolder(context.graph, context.mailbox, context.folder.id))) throw error;
      return failedFolder(context, `the folder could not be read: ${causeOf(error)}`);
    }
    const restarts = cursor.restarts + 1;
    const listOnly = refused || restarts > MAX_RESTARTS;
    const phase = cursor.phase === "delta" && !listOnly ? "delta" : "list";
    return { restart: { ...startOf(cursor), phase, generation: cursor.generation + 1, restarts, listOnly } };
  }
};

/** Whether an error may concern a folder alone: a broken answer, or a refusal that is not about the app or its pace. */
const isOfFolder = (error: unknown): boolean =>
  isBrokenAnswer(error) ||
  (error instanceof GraphError && error.status >= 400 && error.status <= 500 && ![401, 429].includes(error.status));

/** The same text for the same fault, so that it is told once: without the id of a request. */
const causeOf = (error: unknown): string =>
  error instanceof GraphError
    ? `Graph answered ${error.status} ${error.code} to ${error.operation}`
    : (error as Error).message;

const close = (
  { items, finished, events, problems, seen }: ReturnType<typeof draftOf>,
  cursor: PlanCursor,
  folders: number,
): Chunk => {
  const carry = items.slice(CHUNK_ITEMS);
  const isLast = cursor.folder >= folders && carry.length === 0;
  const batches = intoBatches(items.slice(0, CHUNK_ITEMS));
  const shown = [...seen].map(([generation, items]) => ({ generation, items }));
  return { finished, events, problems, seen: shown, batches, ...(isLast ? {} : { next: { ...cursor, carry } }) };
};

/** The items that are planned of the current folder. */
async function* plannedSoFar(
  work: Blobs,
  run: Run,
  { cursor, folder, draft }: StepContext,
  chunk: number,
): AsyncGenerator<PlannedItem> {
  for await (const { items } of folderSoFar(work, run, { ...cursor, carry: [] }, chunk)) yield* items;
  yield* draft.items.filter(({ folderId }) => folderId === folder.id);
}

/** Rebuilds what is planned of the current folder from earlier chunks, which another delivery may have planned. */
const rebuild = async (work: Blobs, run: Run, cursor: PlanCursor, chunk: number): Promise<PlannedItems> => {
  const planned = plannedItems();
  for (const item of run.folders[cursor.folder]?.lost ?? []) planned.plan(item);
  for await (const { items, seen, events } of folderSoFar(work, run, cursor, chunk)) {
    for (const item of items) planned.plan(item);
    for (const short of seen) planned.see(short);
    for (const event of events) {
      if (event.op === "removed") planned.remove(event.id);
      else planned.reappear(event.id);
    }
  }
  return planned;
};

/** What earlier chunks hold of the current folder; of what they saw, only what the generation of the cursor did. */
async function* folderSoFar(
  work: Blobs,
  { runId, folders }: Run,
  { folder, folderChunk, generation, carry }: PlanCursor,
  chunk: number,
): AsyncGenerator<{ items: PlannedItem[]; seen: readonly string[]; events: Chunk["events"] }> {
  const folderId = folders[folder]?.id;
  const ofFolder = <T extends { folderId: string }>(items: readonly T[]) =>
    items.filter((item) => item.folderId === folderId);
  for (let earlier = folderChunk; earlier < chunk; earlier += 1) {
    const { batches, seen, events } = await readChunk(work, runId, earlier);
    const shown = seen.flatMap((round) => (round.generation === generation ? round.items : []));
    yield { items: ofFolder(batches.flat()), seen: shown, events: ofFolder(events) };
  }
  yield { items: ofFolder(carry), seen: [], events: [] };
}
