import type { RunId } from "../../../shared/contracts/ids.ts";
import type { Blobs } from "../../../shared/storage/blobs.ts";
import { type Chunk, type PlanCursor, type PlannedItem, type RunFolder, readChunk } from "../run-state.ts";
import { type PlannedItems, plannedItems } from "./planned-items.ts";

interface Run {
  readonly runId: RunId;
  readonly folders: readonly RunFolder[];
}

/** Rebuilds what is planned of a folder from earlier chunks, which another delivery may have planned. */
export const rebuild = async (work: Blobs, run: Run, cursor: PlanCursor, chunk: number): Promise<PlannedItems> => {
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

/** What earlier chunks hold of a folder; of what they saw, only what the generation of the cursor did. */
export async function* folderSoFar(
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
