import type { MailboxKey, RunId } from "../../../shared/contracts/ids.ts";
import type { BatchPlace } from "../../../shared/contracts/lane.ts";
import type { Blobs } from "../../../shared/storage/blobs.ts";
import { packName } from "../../../shared/vault/names.ts";
import type { ItemFacts } from "../../../shared/vault/records.ts";
import { readChunk } from "../run-state.ts";

/** A batch to export. */
export interface Batch {
  readonly place: BatchPlace;
  readonly items: readonly ItemFacts[];
  /** Whether a pack of it was there when its chunk was opened. */
  readonly packed: boolean;
}

/** The batches of planned chunks, in order, for lanes that draw them one by one. */
export interface BatchQueue {
  /** The next batch of the chunks before `nextChunk`; `undefined` when there is none. */
  draw(nextChunk: number): Promise<Batch | undefined>;
  giveBack(batch: Batch): void;
  readonly position: { at: BatchPlace; again: BatchPlace[] };
}

interface OpenChunk {
  readonly chunk: number;
  readonly batches: readonly (readonly ItemFacts[])[];
  readonly packs: ReadonlySet<string>;
}

/** Looks for packs that are there already only where there may be some: listing costs as much as writing. */
export const batchQueue = (
  { vault, work }: { readonly vault: Blobs; readonly work: Blobs },
  { key, runId }: { readonly key: MailboxKey; readonly runId: RunId },
  start: { readonly at: BatchPlace; readonly again: readonly BatchPlace[] },
  mayBePacked: boolean,
): BatchQueue => {
  const again = [...start.again];
  let { at } = start;
  let open: OpenChunk | undefined;
  let drawing: Promise<unknown> = Promise.resolve();

  const openChunk = async (chunk: number): Promise<OpenChunk> => {
    if (open?.chunk === chunk) return open;
    const { batches } = await readChunk(work, runId, chunk);
    const packs = new Set<string>();
    const prefix = packName(key, runId, chunk, 0).replace(/0\.zip$/, "");
    if (mayBePacked && batches.length > 0) for await (const { name } of vault.list(prefix)) packs.add(name);
    open = { chunk, batches, packs };
    return open;
  };

  const batchAt = ({ batches, packs }: OpenChunk, place: BatchPlace): Batch => ({
    place,
    items: batches[place.batch] ?? [],
    packed: packs.has(packName(key, runId, place.chunk, place.batch)),
  });

  const drawOne = async (nextChunk: number): Promise<Batch | undefined> => {
    const returned = again.shift();
    if (returned !== undefined) return batchAt(await openChunk(returned.chunk), returned);
    for (; at.chunk < nextChunk; at = { chunk: at.chunk + 1, batch: 0 }) {
      const chunk = await openChunk(at.chunk);
      if (at.batch >= chunk.batches.length) continue;
      const place = at;
      at = { ...place, batch: place.batch + 1 };
      return batchAt(chunk, place);
    }
    return undefined;
  };

  return {
    draw: (nextChunk) => {
      const drawn = drawing.then(() => drawOne(nextChunk));
      drawing = drawn.catch(() => undefined);
      return drawn;
    },
    giveBack: ({ place }) => {
      again.push(place);
    },
    get position() {
      return { at, again: [...again] };
    },
  };
};
