import type * as z from "zod";
import { allOf, mapBounded } from "../../../shared/bounded.ts";
import type { LiveItem } from "../../../shared/graph/items.ts";
import type { Blobs } from "../../../shared/storage/blobs.ts";
import { BeginAnewError, type Stages } from "../paging/checkpoints.ts";
import { copyKey, idKey } from "../paging/copy-keys.ts";
import { afterRest, goOnListing } from "../paging/list-target.ts";
import type { Step } from "../paging/one-step.ts";
import { type Entry, keepRun, mergeRuns } from "../paging/sorted-runs.ts";
import { CHUNK_ITEMS } from "../plan/cut-chunks.ts";
import type { reconcileRestore } from "../restore.contract.ts";
import { type FolderMap, ledgerName, type RestorePlanState, readRestoreChunk } from "../restore-state.ts";
import { type Ledgers, settledItems } from "../upload/ledger.ts";
import { type ItemComparison, itemComparison } from "./compare-items.ts";
import {
  beginning,
  ComparedEntry,
  type ComparisonState,
  type LiveEntry,
  type WantedEntry,
} from "./comparison-state.ts";

/** Chunks and ledgers that are read at the same time. */
const READS = 8;

/** What is compared with the target. */
export interface Compared {
  readonly plan: RestorePlanState;
  /** The live folders that the plan's folders are. */
  readonly map: FolderMap;
}

/**
 * The stages of a comparison. Each sorts what it found, or matches what is sorted, and the stage of a state is the one
 * to go on with.
 */
export const comparisonStages = (
  { work, ledgers }: { readonly work: Blobs; readonly ledgers: Ledgers },
  { restoreId, mailbox, stopped }: z.output<typeof reconcileRestore.input>,
  { plan, map }: Compared,
  { graph, slots, isOver, runEntries }: Step,
): Stages<ComparisonState> => {
  const unseen = stopped?.unseen ?? false;
  const folders = [...new Set(plan.folders.flatMap(({ sourceId }) => map[sourceId] ?? []))];
  const indices = new Map(plan.folders.map(({ sourceId }, index) => [sourceId, index]));
  const folderIdOf = (folder: number): string => plan.folders[folder]?.sourceId ?? "";
  const comparisonOf = ({ tally, listing }: ComparisonState): ItemComparison =>
    itemComparison(tally, { folderIdOf, unseen, gone: new Set(listing.gone) });

  async function* live(state: ComparisonState, nameOf: () => string): States {
    // Graph tells times of creation in whole seconds.
    const sinceMs = Math.floor(Date.parse(state.started) / 1000) * 1000;
    let latest = state;
    const entryOf = (folder: number, item: LiveItem): Entry<LiveEntry> => {
      const { id, changeKey, searchKey, created } = item;
      const isNew = searchKey !== undefined && Date.parse(created ?? "") >= sinceMs;
      const copy = isNew ? { copy: copyKey(folders[folder] ?? "", item) } : {};
      return { key: idKey(id), value: { t: "live", folder, id, changeKey, ...copy } };
    };
    const listings = goOnListing(
      { graph, work, slots, isOver, runEntries },
      { mailbox, folders },
      entryOf,
      state.listing,
      nameOf,
    );
    for (;;) {
      const { done, value: listing } = await listings.next();
      if (listing === undefined) return latest;
      if (done) return { ...state, listing, byId: { runs: listing.runs, at: [] }, stage: "outcomes" };
      latest = { ...state, listing };
      yield latest;
    }
  }

  const wantedIn = async (chunk: number): Promise<WantedEntry[]> => {
    const [records, entries] = await allOf([
      readRestoreChunk(work, restoreId, plan, chunk),
      ledgers.read(ledgerName(restoreId, chunk)),
    ]);
    const settledOf = settledItems(entries);
    return records.map((record, item) => {
      const folder = indices.get(record.folderId);
      if (folder === undefined) throw new Error("The plan has an item of a folder that it does not list");
      const liveFolder = map[record.folderId];
      const isKeyed = liveFolder !== undefined && record.searchKey !== undefined;
      const settled = settledOf.get(item);
      return {
        t: "wanted",
        position: `${padded(chunk)}-${padded(item)}`,
        ...{ folder, id: record.id, rawBytes: record.rawBytes },
        ...(isKeyed && { copy: copyKey(liveFolder, record) }),
        ...(settled !== undefined && { settled }),
      };
    });
  };

  async function* outcomes(from: ComparisonState, nameFor: NameFor): States {
    let state = from;
    const comparison = comparisonOf(state);
    while (state.chunks < plan.chunks) {
      const to = Math.min(plan.chunks, state.chunks + Math.ceil(runEntries / CHUNK_ITEMS));
      const numbers = Array.from({ length: to - state.chunks }, (_, n) => state.chunks + n);
      const byId: Entry<ComparedEntry>[] = [];
      const byCopy: Entry<ComparedEntry>[] = [];
      for (const wanted of (await mapBounded(numbers, READS, wantedIn)).flat()) {
        const left = comparison.add(wanted);
        if (left?.by === "id") byId.push({ key: idKey(idOf(wanted)), value: left.entry });
        if (left?.by === "copy") byCopy.push({ key: wanted.copy ?? "", value: left.entry });
      }
      state = { ...(await kept(state, comparison, nameFor)), chunks: to };
      state = {
        ...state,
        byId: { runs: [...state.byId.runs, ...(await keepRun(work, nameFor("ids"), byId))], at: [] },
      };
      const copies = await keepRun(work, nameFor("copies"), byCopy);
      state = { ...state, byCopy: { runs: [...state.byCopy.runs, ...copies], at: [] } };
      if (to < plan.chunks) yield state;
    }
    return { ...state, stage: "ids" };
  }

  async function* ids(from: ComparisonState, nameFor: NameFor): States {
    let state = from;
    const comparison = comparisonOf(state);
    const merge = await mergeRuns<ComparedEntry>(work, state.byId.runs, ComparedEntry, state.byId.at);
    let left: Entry<ComparedEntry>[] = [];
    const keep = async (): Promise<ComparisonState> => {
      const at = merge.at();
      const copies = await keepRun(work, nameFor("copies"), left);
      left = [];
      const byCopy = { runs: [...state.byCopy.runs, ...copies], at: [] };
      state = { ...(await kept(state, comparison, nameFor)), byId: { ...state.byId, at }, byCopy };
      return state;
    };
    let read = 0;
    for (let group = await merge.next(); group !== undefined; group = await merge.next()) {
      for (const entry of comparison.matchIds(group.values)) left.push({ key: entry.copy ?? "", value: entry });
      read += group.values.length;
      if (read < runEntries) continue;
      read = 0;
      yield keep();
    }
    return { ...(await keep()), stage: "copies" };
  }

  async function* copies(from: ComparisonState, nameFor: NameFor): States {
    let state = from;
    const comparison = comparisonOf(state);
    const merge = await mergeRuns<ComparedEntry>(work, state.byCopy.runs, ComparedEntry, state.byCopy.at);
    const keep = async (): Promise<ComparisonState> => {
      const at = merge.at();
      state = { ...(await kept(state, comparison, nameFor)), byCopy: { ...state.byCopy, at } };
      return state;
    };
    let read = 0;
    for (let group = await merge.next(); group !== undefined; group = await merge.next()) {
      comparison.matchCopies(group.values);
      read += group.values.length;
      if (read < runEntries) continue;
      read = 0;
      yield keep();
    }
    return { ...(await keep()), stage: "compared" };
  }

  const kept = async (
    state: ComparisonState,
    comparison: ItemComparison,
    nameFor: NameFor,
  ): Promise<ComparisonState> => {
    const { tally, rows, versions } = comparison.take();
    return {
      ...state,
      tally,
      rows: [...state.rows, ...(await keepRun(work, nameFor("rows"), rows))],
      versions: [...state.versions, ...(await keepRun(work, nameFor("versions"), versions))],
    };
  };

  const stageOf = (state: ComparisonState, nameFor: NameFor): States | undefined => {
    // What was seen, and what the ledgers say, do not mix.
    if (state.unseen !== unseen) throw new BeginAnewError("The mailbox is not to be looked at any more");
    switch (state.stage) {
      case "live":
        return live(state, () => nameFor("live"));
      case "outcomes":
        return outcomes(state, nameFor);
      case "ids":
        return ids(state, nameFor);
      case "copies":
        return copies(state, nameFor);
      case "compared":
        return undefined;
    }
  };

  return {
    begin: async () => beginning(unseen, plan.started),
    afterRest: (state) => ({ ...state, listing: afterRest(state.listing) }),
    goOn: stageOf,
  };
};

type States = AsyncGenerator<ComparisonState, ComparisonState>;
type NameFor = (kind: string) => string;

const idOf = ({ settled }: WantedEntry): string => (settled !== undefined && "itemId" in settled ? settled.itemId : "");

const padded = (number: number): string => String(number).padStart(6, "0");
