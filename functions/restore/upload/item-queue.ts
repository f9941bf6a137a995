import { allOf } from "../../../shared/bounded.ts";
import type { ChunkRange } from "../restore.contract.ts";
import type { FolderMap, RestoreItem } from "../restore-state.ts";
import { type GroupLedger, groupLedger } from "./group-ledger.ts";
import { type Ledger, openTries, type Settled, settledItems } from "./ledger.ts";

/** An item that a lane has in hand. */
export interface Drawn {
  readonly item: number;
  readonly record: RestoreItem;
  /** Times that its import was tried before and may have been taken. */
  readonly tries: number;
  readonly ledger: GroupLedger;
  /** Whether this process may still write to the chunk's ledger. */
  held(): boolean;
  /** Items of its chunk that are settled: its copies are among them, since copies share a chunk. */
  readonly settled: ReadonlyMap<number, Settled>;
}

/** What chunks that are finished came to. */
export interface Finished {
  readonly record: RestoreItem;
  readonly entry: Settled;
}

/** The items of chunks, drawn one by one by lanes of one process. */
export interface ItemQueue {
  /** The next item that nobody has in hand; `undefined` when there is none now. */
  draw(): Promise<Drawn | undefined>;
  settle(drawn: Drawn, entry: Settled): Promise<void>;
  /** Lets go of an item that is not settled: untried, or tried in vain, and then to be drawn not before a time. */
  giveBack(drawn: Drawn, notBeforeMs?: number): void;
  /** Milliseconds until an item may be drawn whose time has not come; `undefined` where there is none. */
  waitMs(): number | undefined;
  /** Chunks that are not finished. */
  readonly left: ChunkRange[];
  readonly finished: readonly Finished[];
  /** Lets go of all ledgers. */
  close(): Promise<void>;
}

interface OpenChunk {
  readonly number: number;
  readonly items: readonly RestoreItem[];
  readonly ledger: GroupLedger;
  readonly held: () => boolean;
  readonly settled: Map<number, Settled>;
  readonly tries: Map<number, number>;
  /** Items to draw, each not before a time. */
  readonly waiting: { item: number; notBeforeMs: number }[];
  readonly inHand: Set<number>;
}

export interface ChunkSource {
  read(chunk: number): Promise<RestoreItem[]>;
  openLedger(chunk: number): Promise<Ledger>;
  /** The live folder of each folder of the snapshot: one may stand for several. */
  readonly folders: FolderMap;
}

export const itemQueue = (source: ChunkSource, ranges: readonly ChunkRange[]): ItemQueue => {
  /** Copies of an item are told apart by counting alone, so they never are in hand at the same time. */
  const copyKey = ({ folderId, searchKey }: RestoreItem): string | undefined =>
    searchKey && `${source.folders[folderId] ?? folderId}\n${searchKey}`;
  const unopened = ranges.flatMap(({ from, to }) => Array.from({ length: to - from }, (_, n) => from + n));
  const open = new Set<OpenChunk>();
  const finished: Finished[] = [];
  let drawing: Promise<unknown> = Promise.resolve();

  const openNext = async (): Promise<boolean> => {
    const [number] = unopened;
    if (number === undefined) return false;
    const [items, ledger] = [await source.read(number), await source.openLedger(number)];
    unopened.shift();
    const settled = settledItems(ledger.entries);
    const chunk: OpenChunk = {
      number,
      items,
      ledger: groupLedger(ledger),
      held: ledger.held,
      settled,
      tries: openTries(ledger.entries),
      waiting: [...items.keys()].filter((item) => !settled.has(item)).map((item) => ({ item, notBeforeMs: 0 })),
      inHand: new Set(),
    };
    open.add(chunk);
    await finishIfDone(chunk);
    return true;
  };

  const finishIfDone = async (chunk: OpenChunk): Promise<void> => {
    if (chunk.settled.size < chunk.items.length) return;
    await chunk.ledger.close();
    open.delete(chunk);
    for (const [item, record] of chunk.items.entries()) {
      const entry = chunk.settled.get(item);
      if (entry !== undefined) finished.push({ record, entry });
    }
  };

  const drawFrom = (chunk: OpenChunk): Drawn | undefined => {
    const keys = new Set([...chunk.inHand].map((item) => copyKey(chunk.items[item] as RestoreItem)));
    const isFree = ({ item, notBeforeMs }: OpenChunk["waiting"][number]): boolean => {
      const key = copyKey(chunk.items[item] as RestoreItem);
      return notBeforeMs <= Date.now() && (key === undefined || !keys.has(key));
    };
    const at = chunk.waiting.findIndex(isFree);
    const [next] = at === -1 ? [] : chunk.waiting.splice(at, 1);
    const record = next && chunk.items[next.item];
    if (next === undefined || record === undefined) return undefined;
    chunk.inHand.add(next.item);
    const { ledger, held, settled } = chunk;
    return { item: next.item, record, tries: chunk.tries.get(next.item) ?? 0, ledger, held, settled };
  };

  const drawOne = async (): Promise<Drawn | undefined> => {
    do {
      for (const chunk of open) {
        const drawn = drawFrom(chunk);
        if (drawn !== undefined) return drawn;
      }
    } while (await openNext());
    return undefined;
  };

  const chunkOf = ({ ledger }: Drawn): OpenChunk => {
    for (const chunk of open) if (chunk.ledger === ledger) return chunk;
    throw new Error("An item is let go of whose chunk is not open");
  };

  return {
    draw: () => {
      const drawn = drawing.then(drawOne);
      drawing = drawn.catch(() => undefined);
      return drawn;
    },
    settle: async (drawn, entry) => {
      const chunk = chunkOf(drawn);
      chunk.ledger.note(entry);
      chunk.settled.set(drawn.item, entry);
      chunk.inHand.delete(drawn.item);
      await finishIfDone(chunk);
    },
    giveBack: (drawn, notBeforeMs) => {
      const chunk = chunkOf(drawn);
      chunk.inHand.delete(drawn.item);
      if (notBeforeMs !== undefined) chunk.tries.set(drawn.item, drawn.tries + 1);
      chunk.waiting.push({ item: drawn.item, notBeforeMs: notBeforeMs ?? 0 });
    },
    waitMs: () => {
      const now = Date.now();
      const times = [...open].flatMap(({ waiting }) => waiting.map(({ notBeforeMs }) => notBeforeMs - now));
      const ahead = times.filter((ms) => ms > 0);
      return ahead.length === 0 ? undefined : Math.min(...ahead);
    },
    get left() {
      return rangesOf([...[...open].map(({ number }) => number), ...unopened]);
    },
    finished,
    close: async () => {
      await allOf([...open].map(({ ledger }) => ledger.close()));
    },
  };
};

/** Chunk numbers as ranges, in order. */
const rangesOf = (numbers: readonly number[]): ChunkRange[] => {
  const ranges: ChunkRange[] = [];
  for (const number of numbers.toSorted((a, b) => a - b)) {
    const last = ranges.at(-1);
    if (last?.to === number) last.to = number + 1;
    else ranges.push({ from: number, to: number + 1 });
  }
  return ranges;
};
