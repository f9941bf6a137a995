import type { RunId } from "../../../shared/contracts/ids.ts";
import type { Blobs } from "../../../shared/storage/blobs.ts";
import type { PutRecord } from "../../../shared/vault/records.ts";
import { keepSortedItems, type RestoreItem, readSortedItems } from "../restore-state.ts";
import { byRank, type Rank } from "./copy-times.ts";

/** Items sorted at a time, in memory. */
const RUN_ITEMS = 20_000;

/** Items of a run that are read at a time while runs are merged. */
const PAGE_ITEMS = 500;

export type RankedItem = Rank & { readonly item: RestoreItem };

/** Takes items in any order, and yields them by rank. */
export interface SortedItems {
  add(item: RestoreItem): Promise<void>;
  /** To be called once, when all are added. */
  all(): AsyncGenerator<RankedItem>;
}

/**
 * An external merge sort: sorts runs of records in memory, writes them to scratch data, and merges them. The catalogue
 * cannot be read in the order of times, since its parts can only be read whole. Holds one run, and one page of each
 * other run. Items that fit one run are never written.
 */
export const sortedItems = (
  { work, restoreId, generation }: { readonly work: Blobs; readonly restoreId: RunId; readonly generation: string },
  rankOf: (item: PutRecord) => Rank,
  { runItems = RUN_ITEMS, pageItems = PAGE_ITEMS } = {},
): SortedItems => {
  const ranked = (item: RestoreItem): RankedItem => ({ ...rankOf(item), item });
  const runs: AsyncIterator<RankedItem>[] = [];
  let run: RankedItem[] = [];

  const writeRun = async (): Promise<void> => {
    const number = runs.length;
    const items = run.sort(byRank).map(({ item }) => item);
    run = [];
    const pages = Math.ceil(items.length / pageItems);
    for (let page = 0; page < pages; page += 1) {
      const part = items.slice(page * pageItems, (page + 1) * pageItems);
      await keepSortedItems(work, restoreId, generation, { run: number, page }, part);
    }
    runs.push(readRun(number, pages));
  };

  async function* readRun(number: number, pages: number): AsyncGenerator<RankedItem> {
    for (let page = 0; page < pages; page += 1)
      for (const item of await readSortedItems(work, restoreId, generation, { run: number, page })) yield ranked(item);
  }

  return {
    add: async (item) => {
      run.push(ranked(item));
      if (run.length === runItems) await writeRun();
    },
    all: async function* () {
      runs.push(inMemory(run.sort(byRank)));
      yield* merge(runs);
    },
  };
};

async function* inMemory(items: readonly RankedItem[]): AsyncGenerator<RankedItem> {
  yield* items;
}

async function* merge(runs: readonly AsyncIterator<RankedItem>[]): AsyncGenerator<RankedItem> {
  const heads = new Map<AsyncIterator<RankedItem>, RankedItem>();
  const advance = async (run: AsyncIterator<RankedItem>): Promise<void> => {
    const { done, value } = await run.next();
    if (done) heads.delete(run);
    else heads.set(run, value);
  };
  for (const run of runs) await advance(run);
  while (heads.size > 0) {
    const [run, first] = [...heads].reduce((least, head) => (byRank(head[1], least[1]) < 0 ? head : least));
    yield first;
    await advance(run);
  }
}
