import { allOf } from "../../../shared/bounded.ts";
import { type ChunkRange, chunkNumbers, rangesOf } from "../chunk-ranges.contract.ts";
import type { FolderMap, RestoreItem } from "../restore-state.ts";
import { type GroupLedger, groupLedger } from "./group-ledger.ts";
import { type Ledger, openTries, refusingSessions, type Settled, settledItems, type Try } from "./ledger.ts";

/** An item that a lane works on. */
export interface TakenItem {
  readonly item: number;
  readonly record: RestoreItem;
  /** Earlier tries to import it whose outcome is unknown. */
  readonly tries: readonly Try[];
  /** The session that refused it before with 403. */
  readonly refusedBy?: string | undefined;
  readonly ledger: GroupLedger;
  /** Whether this process may still write to the chunk's ledger. */
  held(): boolean;
  /** Like `held`, and asks storage. */
  confirmHeld(): Promise<boolean>;
  /** The settled items of its chunk. Its copies are among them, since copies share a chunk. */
  readonly settled: ReadonlyMap<number, Settled>;
}

/** An item of a finished chunk, and its outcome. */
export interface FinishedItem {
  readonly record: RestoreItem;
  readonly entry: Settled;
}

/** The items of chunks, taken one by one by lanes of one process. */
export interface ItemQueue {
  /** The next free item; `undefined` when there is none now. */
  take(): Promise<TakenItem | undefined>;
  settle(taken: TakenItem, entry: Settled): Promise<void>;
  /** Puts an item back that is not settled. `unclear`: it was tried, and may be taken again from a time on. */
  requeue(taken: TakenItem, unclear?: { readonly notBeforeMs: number; readonly tries: readonly Try[] }): void;
  /** Leaves an item to a later wave, unless it is settled before. */
  setAside(taken: TakenItem): void;
  /** Milliseconds until the next item may be taken again; `undefined` when no item waits for its time. */
  waitMs(): number | undefined;
  /** Chunks that are not finished. */
  readonly left: ChunkRange[];
  readonly finished: readonly FinishedItem[];
  /** The items of finished chunks, and those of open ones that are settled, by this wave or before. */
  readonly settled: readonly FinishedItem[];
  /** How many this queue's lanes settled. */
  readonly settledHere: number;
  /** Closes all ledgers. */
  close(): Promise<void>;
}

interface OpenChunk {
  readonly number: number;
  readonly items: readonly RestoreItem[];
  readonly ledger: GroupLedger;
  readonly held: () => boolean;
  readonly confirmHeld: () => Promise<boolean>;
  readonly settled: Map<number, Settled>;
  readonly tries: Map<number, readonly Try[]>;
  readonly refusedBy: ReadonlyMap<number, string>;
  /** Items to take, each from a time on. */
  readonly waiting: { item: number; notBeforeMs: number }[];
  readonly inFlight: Set<number>;
}

export interface ChunkSource {
  read(chunk: number): Promise<RestoreItem[]>;
  openLedger(chunk: number): Promise<Ledger>;
  /** The live folder of each folder of the snapshot. Several may share one. */
  readonly folders: FolderMap;
}

export const itemQueue = (source: ChunkSource, ranges: readonly ChunkRange[]): ItemQueue => {
  /** Copies of an item can only be counted, not told apart, so they are never in flight at the same time. */
  const copyKey = ({ folderId, searchKey }: RestoreItem): string | undefined =>
    searchKey && `${source.folders[folderId] ?? folderId}\n${searchKey}`;
  const unopened = chunkNumbers(ranges);
  const open = new Set<OpenChunk>();
  const finished: FinishedItem[] = [];
  let settledHere = 0;
  let taking: Promise<unknown> = Promise.resolve();

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
      confirmHeld: ledger.confirmHeld,
      settled,
      tries: openTries(ledger.entries),
      refusedBy: refusingSessions(ledger.entries),
      waiting: [...items.keys()].filter((item) => !settled.has(item)).map((item) => ({ item, notBeforeMs: 0 })),
      inFlight: new Set(),
    };
    open.add(chunk);
    await finishIfDone(chunk);
    return true;
  };

  const finishIfDone = async (chunk: OpenChunk): Promise<void> => {
    if (chunk.settled.size < chunk.items.length) return;
    await chunk.ledger.close();
    open.delete(chunk);
    finished.push(...settledIn(chunk));
  };

  const settledIn = ({ items, settled }: OpenChunk): FinishedItem[] =>
    [...settled].flatMap(([item, entry]) => {
      const record = items[item];
      return record === undefined ? [] : [{ record, entry }];
    });

  const takeFrom = (chunk: OpenChunk): TakenItem | undefined => {
    const keys = new Set([...chunk.inFlight].map((item) => copyKey(chunk.items[item] as RestoreItem)));
    const isFree = ({ item, notBeforeMs }: OpenChunk["waiting"][number]): boolean => {
      const key = copyKey(chunk.items[item] as RestoreItem);
      return notBeforeMs <= Date.now() && (key === undefined || !keys.has(key));
    };
    const at = chunk.waiting.findIndex(isFree);
    const [next] = at === -1 ? [] : chunk.waiting.splice(at, 1);
    const record = next && chunk.items[next.item];
    if (next === undefined || record === undefined) return undefined;
    chunk.inFlight.add(next.item);
    const { item } = next;
    const { ledger, held, confirmHeld, settled } = chunk;
    const [tries, refusedBy] = [chunk.tries.get(item) ?? [], chunk.refusedBy.get(item)];
    return { item, record, tries, refusedBy, ledger, held, confirmHeld, settled };
  };

  const takeNext = async (): Promise<TakenItem | undefined> => {
    do {
      for (const chunk of open) {
        const taken = takeFrom(chunk);
        if (taken !== undefined) return taken;
      }
    } while (await openNext());
    return undefined;
  };

  const chunkOf = ({ ledger }: TakenItem): OpenChunk => {
    for (const chunk of open) if (chunk.ledger === ledger) return chunk;
    throw new Error("The chunk of an item is not open");
  };

  return {
    take: () => {
      const taken = taking.then(takeNext);
      taking = taken.catch(() => undefined);
      return taken;
    },
    settle: async (taken, entry) => {
      const chunk = chunkOf(taken);
      chunk.ledger.note(entry);
      chunk.settled.set(taken.item, entry);
      settledHere += 1;
      chunk.inFlight.delete(taken.item);
      await finishIfDone(chunk);
    },
    requeue: (taken, unclear) => {
      const chunk = chunkOf(taken);
      chunk.inFlight.delete(taken.item);
      if (unclear !== undefined) chunk.tries.set(taken.item, unclear.tries);
      chunk.waiting.push({ item: taken.item, notBeforeMs: unclear?.notBeforeMs ?? 0 });
    },
    setAside: (taken) => {
      chunkOf(taken).inFlight.delete(taken.item);
    },
    get settled() {
      return [...finished, ...[...open].flatMap(settledIn)];
    },
    get settledHere() {
      return settledHere;
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
