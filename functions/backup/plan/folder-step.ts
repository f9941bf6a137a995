import { isBrokenAnswer } from "../../../shared/graph/broken-answer.ts";
import { isDeltaStateLost, isOverQuota } from "../../../shared/graph/delta-errors.ts";
import { hasFolder } from "../../../shared/graph/folders.ts";
import { GraphError, isNotFound } from "../../../shared/graph/graph-error.ts";
import type { Chunk, PlanCursor, PlannedItem, RunFolder } from "../run-state.ts";
import type { Catalogue } from "./catalogue.ts";
import { type Draft, failedFolder, firstPhase, type Next, STEPS, type StepContext } from "./plan-steps.ts";
import { proveMissing } from "./prove-missing.ts";

/** How often Graph may lose a folder's delta state in one run before the folder is planned from its listing alone. */
const MAX_RESTARTS = 3;

/** More than the rounds that a folder may take, so that those of each folder have numbers of their own. */
const MAX_ROUNDS = 100;

/** What one step of a folder's planning brought. */
export interface FolderStep extends Readonly<Omit<Draft, "seen">> {
  /** What its generation showed. */
  readonly seen: Chunk["seen"][number];
  /** Where the folder goes on. */
  readonly next?: PlanCursor | undefined;
  /** How it ended, where there is no next step. */
  readonly finished?: Chunk["finished"][number];
}

/** The cursor that begins a folder, in the chunk that is being made. */
export const cursorAt = (folders: readonly RunFolder[], folder: number, folderChunk: number): PlanCursor => ({
  folder,
  phase: firstPhase(folders[folder] ?? { retry: [] }),
  generation: folder * MAX_ROUNDS,
  restarts: 0,
  listOnly: false,
  folderChunk,
  carry: [],
});

/**
 * One step of planning a folder. Its changes since the last snapshot come from its deltaLink, where Graph still accepts
 * it, and otherwise from a listing that a delta round confirms. An item that the catalogue holds in the same version is
 * not planned. An item is removed when delta says so, or when a whole round does not show it and a look-up does not
 * find it.
 *
 * @param plannedSoFar the items of the folder that earlier steps planned, which a step asks for after its last page.
 */
export const folderStep = async (
  its: Omit<StepContext, "draft">,
  plannedSoFar: () => AsyncIterable<PlannedItem>,
): Promise<FolderStep> => {
  const { cursor, planned } = its;
  const draft: Draft = { items: [], events: [], problems: [], seen: [] };
  const context = { ...its, draft };
  const next = await step(context);
  const { seen: items, ...brought } = draft;
  const done = { ...brought, seen: { generation: cursor.generation, items } };
  if ("restart" in next) {
    planned.begin();
    return { ...done, next: next.restart };
  }
  if ("finished" in next) return { ...done, finished: await finish(context, next, plannedSoFar) };
  const isNewRound = next.phase !== cursor.phase;
  if (isNewRound) planned.begin();
  return { ...done, next: { ...startOf(cursor), ...next, generation: cursor.generation + (isNewRound ? 1 : 0) } };
};

/** A cursor without its place in a round. */
const startOf = ({ link: _l, unversioned: _u, deltaLink: _d, ...cursor }: PlanCursor): PlanCursor => ({
  ...cursor,
  carry: [],
});

/**
 * A folder that is planned to its end. Its deltaLink is kept where every item is accounted for; without one, the next
 * run lists the folder again, and asks again for the items that Graph gave no clear answer for.
 */
const finish = async (
  context: StepContext,
  { deltaLink, left }: Extract<Next, { finished: true }>,
  plannedSoFar: () => AsyncIterable<PlannedItem>,
): Promise<Chunk["finished"][number]> => {
  const { folder, cursor, catalogue, planned, draft } = context;
  if (left === "failed") return { folderId: folder.id, failed: true };
  // The old link goes on counting. New ones of all quiet folders would be most of what a quiet run writes.
  if (cursor.phase === "changes" && planned.isEmpty) return { folderId: folder.id };
  const finished = { folderId: folder.id, ...(deltaLink === undefined ? {} : { deltaLink }) };
  if (cursor.phase === "changes" || left === "gone") return finished;
  const own = [...draft.items];
  const all = async function* () {
    yield* plannedSoFar();
    yield* own;
  };
  const proof = await proveMissing(context, knownIds(catalogue, folder), all());
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
