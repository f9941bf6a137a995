import type { Chunk, PlanCursor, PlannedItem, RunFolder } from "../run-state.ts";
import { CHUNK_ITEMS, intoBatches } from "./batching.ts";
import type { FolderPlans } from "./folder-plans.ts";
import { cursorAt, type FolderStep } from "./folder-step.ts";

/** Most steps in one chunk: a delta round that confirms a listing may have many pages without anything to export. */
const CHUNK_STEPS = 20;

/**
 * Plans a mailbox folder by folder, one chunk per call. A chunk ends early at the deadline, so that the lanes do not
 * wait for it.
 */
export const planner =
  (plans: Pick<FolderPlans, "take">, folders: readonly RunFolder[]) =>
  async (start: PlanCursor, number: number, deadline = Number.POSITIVE_INFINITY): Promise<Chunk> => {
    const draft = draftOf(start.carry);
    let cursor: PlanCursor = { ...start, carry: [] };
    for (let steps = 0; steps < CHUNK_STEPS && draft.items.length < CHUNK_ITEMS; steps += 1) {
      if (cursor.folder >= folders.length || (steps > 0 && Date.now() >= deadline)) break;
      const { folder, folderChunk } = cursor;
      const step = await plans.take({ number, cursor: { ...cursor, carry: start.carry }, items: draft.items });
      add(draft, step);
      // A step that was made before its turn does not know in which chunk its folder began.
      cursor = step.next ? { ...step.next, folderChunk } : cursorAt(folders, folder + 1, number);
    }
    return close(draft, cursor, folders.length);
  };

const draftOf = (carry: readonly PlannedItem[]) => ({
  items: [...carry],
  finished: [] as Chunk["finished"],
  events: [] as Chunk["events"],
  problems: [] as Chunk["problems"],
  seen: new Map<number, string[]>(),
});

const add = (draft: ReturnType<typeof draftOf>, { items, events, problems, seen, finished }: FolderStep): void => {
  draft.items.push(...items);
  draft.events.push(...events);
  draft.problems.push(...problems);
  if (finished !== undefined) draft.finished.push(finished);
  const shown = draft.seen.get(seen.generation) ?? [];
  shown.push(...seen.items);
  if (shown.length > 0) draft.seen.set(seen.generation, shown);
};

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
