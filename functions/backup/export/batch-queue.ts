import type { MailboxKey, RunId } from "../../../shared/contracts/ids.ts";
import type { BatchId } from "../../../shared/contracts/lane.ts";
import type { Blobs } from "../../../shared/storage/blobs.ts";
import { packName } from "../../../shared/vault/names.ts";
import { type PlannedItem, readChunk } from "../run-state.ts";

/** A batch to export. */
export interface Batch {
  readonly id: BatchId;
  readonly items: readonly PlannedItem[];
  /** Whether its pack existed when its chunk was opened. */
  readonly packed: boolean;
}

/** The batches of planned chunks, in order; lanes take them one by one. */
export interface BatchQueue {
  /** The next batch of the chunks before `nextChunk`; `undefined` when there is none. */
  take(nextChunk: number): Promise<Batch | undefined>;
  /** Puts a batch back that was not exported; it is taken again before all others. */
  giveBack(batch: Batch): void;
  readonly position: { at: BatchId; again: BatchId[] };
}

interface OpenChunk {
  readonly chunk: number;
  readonly batches: readonly (readonly PlannedItem[])[];
  readonly packs: ReadonlySet<string>;
}

/** Looks for packs of an earlier delivery only if `mayBePacked`: a list request costs as much as a write. */
export const batchQueue = (
  { vault, work }: { readonly vault: Blobs; readonly work: Blobs },
  { key, runId }: { readonly key: MailboxKey; readonly runId: RunId },
  start: { readonly at: BatchId; readonly again: readonly BatchId[] },
  mayBePacked: boolean,
): BatchQueue => {
  const again = [...start.again];
  let { at } = start;
  let open: OpenChunk | undefined;
  let taking: Promise<unknown> = Promise.resolve();

  const openChunk = async (chunk: number): Promise<OpenChunk> => {
    if (open?.chunk === chunk) return open;
    const { batches } = await readChunk(work, runId, chunk);
    const packs = new Set<string>();
    const prefix = packName(key, runId, chunk, 0).replace(/0\.zip$/, "");
    if (mayBePacked && batches.length > 0) for await (const { name } of vault.list(prefix)) packs.add(name);
    open = { chunk, batches, packs };
    return open;
  };

  const batchOf = ({ batches, packs }: OpenChunk, id: BatchId): Batch => ({
    id,
    items: batches[id.batch] ?? [],
    packed: packs.has(packName(key, runId, id.chunk, id.batch)),
  });

  const takeNext = async (nextChunk: number): Promise<Batch | undefined> => {
    const givenBack = again.shift();
    if (givenBack !== undefined) return batchOf(await openChunk(givenBack.chunk), givenBack);
    for (; at.chunk < nextChunk; at = { chunk: at.chunk + 1, batch: 0 }) {
      const chunk = await openChunk(at.chunk);
      if (at.batch >= chunk.batches.length) continue;
      const id = at;
      at = { ...id, batch: id.batch + 1 };
      return batchOf(chunk, id);
    }
    return undefined;
  };

  return {
    take: (nextChunk) => {
      const taken = taking.then(() => takeNext(nextChunk));
      taking = taken.catch(() => undefined);
      return taken;
    },
    giveBack: ({ id }) => {
      again.push(id);
    },
    get position() {
      return { at, again: [...again] };
    },
  };
};
