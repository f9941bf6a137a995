import { mapBounded } from "../../../shared/bounded.ts";
import type { RunId } from "../../../shared/contracts/ids.ts";
import type { Blobs } from "../../../shared/storage/blobs.ts";
import type { PutRecord } from "../../../shared/vault/records.ts";
import { copyKey, messageKey } from "../paging/copy-keys.ts";
import { type Entry, keepRun, type SortedRun } from "../paging/sorted-runs.ts";
import { readRestoreChunk, readRestorePlan } from "../restore-state.ts";
import { CHUNK_ITEMS } from "./cut-chunks.ts";
import type { CopyEntry, PlanState } from "./plan-state.ts";

/** Chunks of a reviewed plan that are read at the same time. */
const READS = 8;

interface SortDeps {
  readonly work: Blobs;
  readonly folderKeyOf: (folderId: string) => string;
  readonly nameOf: () => string;
  readonly runEntries: number;
}

/**
 * Sorts the items of a snapshot by their copies, a run at a time. The catalogue can only be read from its beginning, so
 * a step that goes on passes what is sorted. Returns the state at its end.
 */
export async function* sortItems(
  { work, folderKeyOf, nameOf, runEntries }: SortDeps,
  items: AsyncIterable<PutRecord>,
  indexOf: (folderId: string) => number,
  from: PlanState,
): AsyncGenerator<PlanState, PlanState> {
  let state = from;
  let entries: Entry<CopyEntry>[] = [];
  let order = 0;
  const inUse = new Set(Object.keys(from.inUse));
  let { keyless } = from;
  const keep = async (): Promise<PlanState> => {
    const runs = [...state.copies.runs, ...(await keepRun(work, nameOf(), entries))];
    entries = [];
    const counts = Object.fromEntries([...inUse].map((folder) => [folder, 1]));
    state = { ...state, sorted: order, keyless, inUse: counts, copies: { runs, at: [] } };
    return state;
  };
  for await (const item of items) {
    if (order >= from.sorted) {
      const folderKey = folderKeyOf(item.folderId);
      entries.push({ key: copyKey(folderKey, item), value: { t: "item", order, item } });
      inUse.add(String(indexOf(item.folderId)));
      keyless ||= item.searchKey === undefined && messageKey(folderKey, item) !== undefined;
    }
    order += 1;
    if (entries.length === runEntries) yield keep();
  }
  return keep();
}

/** Sorts what a reviewed plan would import, in the same way. */
export async function* sortReviewed(
  { work, folderKeyOf, nameOf, runEntries }: SortDeps,
  planOf: RunId,
  from: PlanState,
): AsyncGenerator<PlanState, PlanState> {
  const plan = await readRestorePlan(work, planOf);
  let state = from;
  const most = Math.ceil(runEntries / CHUNK_ITEMS);
  while (state.reviewed < plan.chunks) {
    const to = Math.min(plan.chunks, state.reviewed + most);
    const entries: Entry<CopyEntry>[] = [];
    const numbers = Array.from({ length: to - state.reviewed }, (_, n) => state.reviewed + n);
    const chunks = await mapBounded(numbers, READS, (chunk) => readRestoreChunk(work, planOf, plan, chunk));
    for (const item of chunks.flat()) {
      const { folderId, id, replaces } = item;
      const key = copyKey(folderKeyOf(folderId), item);
      entries.push({ key, value: { t: "reviewed", folderId, id, ...(replaces && { replaces }) } });
    }
    const runs: SortedRun[] = [...state.copies.runs, ...(await keepRun(work, nameOf(), entries))];
    state = { ...state, reviewed: to, copies: { runs, at: [] } };
    if (to < plan.chunks) yield state;
  }
  return state;
}
