import { randomBytes } from "node:crypto";
import type * as z from "zod";
import type { RunId } from "../../../shared/contracts/ids.ts";
import { listFolders } from "../../../shared/graph/folders.ts";
import type { LiveItem } from "../../../shared/graph/items.ts";
import { memoize } from "../../../shared/memoize.ts";
import type { Blobs } from "../../../shared/storage/blobs.ts";
import { foldSnapshot } from "../../../shared/vault/fold.ts";
import type { SnapshotFolder } from "../../../shared/vault/records.ts";
import { BeginAnewError, type Stages } from "../paging/checkpoints.ts";
import { copyKey, messageKey } from "../paging/copy-keys.ts";
import { afterRest, goOnListing, NOTHING_LISTED } from "../paging/list-target.ts";
import type { Step } from "../paging/one-step.ts";
import { type Entry, mergeRuns, NOTHING_SORTED } from "../paging/sorted-runs.ts";
import { chooseSnapshot } from "../request/choose-snapshot.ts";
import { type FoldedSnapshot, selectFolders, selectItems } from "../request/selection.ts";
import type { planRestore, Selection } from "../restore.contract.ts";
import { keepRestoreChunk, RestoreItem, readSelection, type TargetFolder } from "../restore-state.ts";
import { CHUNK_ITEMS, cutChunks } from "./cut-chunks.ts";
import { matchCopies, matchMessages } from "./match-items.ts";
import {
  type CopyEntry,
  keepFolders,
  keepSurvey,
  type PlanState,
  type PlanSurvey,
  readFolders,
  readSurvey,
} from "./plan-state.ts";
import { decideAnew, decideAsReviewed } from "./reviewed-items.ts";
import { sortItems, sortReviewed } from "./sort-items.ts";
import { targetFolders, targetKeys } from "./target-folders.ts";

type Input = z.output<typeof planRestore.input>;

/** What the stages of one attempt go by. */
interface Attempt {
  readonly snapshot: FoldedSnapshot;
  readonly select: Selection;
  readonly survey: PlanSurvey;
}

/**
 * The stages of a plan. Each sorts what it found, or matches what is sorted, and the stage of a state is the one to go
 * on with.
 */
export const planStages = (
  { vault, work }: { readonly vault: Blobs; readonly work: Blobs },
  input: Input,
  { graph, patient, slots, isOver, runEntries }: Step,
): Stages<PlanState> => {
  const { restoreId, mailbox, into = mailbox, snapshotId, target, onConflict = "skip", planOf } = input;
  const decide = planOf === undefined ? decideAnew(onConflict) : decideAsReviewed;

  const readSnapshot = memoize(async () => {
    const select = await readSelection(work, planOf ?? restoreId, input.select);
    const snapshot = await chooseSnapshot(vault, mailbox.key, { snapshot: snapshotId, select });
    if (snapshot === undefined) throw new Error(`Snapshot ${snapshotId} is not in the vault any more`);
    return { snapshot, select };
  });
  const attemptOf = memoize(async (data): Promise<Attempt> => {
    return { ...(await readSnapshot("")), survey: await readSurvey(work, data, restoreId) };
  });
  const targetsOf = (selected: readonly SnapshotFolder[], all: readonly SnapshotFolder[], live: PlanSurvey["live"]) =>
    targetFolders(target, selected, all, live as Parameters<typeof targetFolders>[3], topName(restoreId));

  async function* items(state: PlanState, nameOf: () => string): AsyncGenerator<PlanState, PlanState> {
    const { snapshot, select, survey } = await attemptOf(state.data);
    const isSelected = await selectItems(vault, snapshot, select);
    const found = foldSnapshot(vault, mailbox.key, snapshotId, isSelected);
    const deps = { work, nameOf, runEntries, folderKeyOf: targetKeys(survey.selected) };
    const indexOf = indexIn(survey.selected);
    const done = yield* sortItems(deps, found, indexOf, state);
    const needed = neededFolders(snapshot.folders, select, (id) => done.inUse[indexOf(id)] !== undefined);
    await keepFolders(work, state.data, targetsOf(needed, snapshot.folders, survey.live));
    return { ...done, stage: onConflict === "duplicate" ? afterLive() : "live" };
  }

  async function* live(state: PlanState, nameOf: () => string): AsyncGenerator<PlanState, PlanState> {
    const needed = await readFolders(work, state.data, restoreId);
    const folders = [...new Set(needed.flatMap(({ liveId }) => liveId ?? []))];
    let { liveKeyless } = state;
    let latest = state;
    const entryOf = (folder: number, item: LiveItem): Entry<CopyEntry> => {
      const { id, changeKey, searchKey } = item;
      const folderKey = folders[folder] ?? "";
      const keyed = searchKey !== undefined;
      const message = keyed && !state.keyless ? undefined : messageKey(folderKey, item);
      liveKeyless ||= !keyed && message !== undefined;
      const value = { t: "live", id, changeKey, keyed, ...(message !== undefined && { message }) } as const;
      return { key: copyKey(folderKey, item), value };
    };
    const lister = { graph, work, slots, isOver, runEntries };
    const listings = goOnListing(lister, { mailbox: into, folders }, entryOf, state.listing, nameOf);
    for (;;) {
      const { done, value: listing } = await listings.next();
      // A folder that is gone has to be made anew, or found elsewhere.
      if (listing && listing.gone.length > 0) throw new BeginAnewError("A folder was deleted while it was listed");
      if (listing === undefined) return latest;
      const runs = [...state.copies.runs, ...listing.runs];
      if (done) return { ...state, listing, liveKeyless, copies: { runs, at: [] }, stage: afterLive() };
      latest = { ...state, listing, liveKeyless };
      yield latest;
    }
  }
  const afterLive = (): PlanState["stage"] => (planOf === undefined ? "match" : "review");

  async function* cut(state: PlanState): AsyncGenerator<PlanState, PlanState> {
    const merge = await mergeRuns<RestoreItem>(work, state.planned.runs, RestoreItem, state.planned.at);
    const keep = (chunk: number, items: readonly RestoreItem[]): Promise<void> =>
      keepRestoreChunk(work, restoreId, state.generation, chunk, items);
    const cuts = cutChunks(merge, { from: state.chunks, most: Math.ceil(runEntries / CHUNK_ITEMS) }, keep);
    for (;;) {
      const { done, value } = await cuts.next();
      const next = { ...state, chunks: value.chunks, planned: { ...state.planned, at: [...value.at] } };
      if (done) return { ...next, stage: "planned" };
      yield next;
    }
  }

  async function* goOn(state: PlanState, nameFor: (kind: string) => string): AsyncGenerator<PlanState, PlanState> {
    const { survey } = await attemptOf(state.data);
    const folderKeyOf = targetKeys(survey.selected);
    const deps = { work, folderKeyOf, indexOf: indexIn(survey.selected), decide, nameOf: nameFor, runEntries };
    switch (state.stage) {
      case "items":
        return yield* items(state, () => nameFor("items"));
      case "live":
        return yield* live(state, () => nameFor("live"));
      case "review":
        if (planOf === undefined) throw new Error(`Restore ${restoreId} has no plan that was reviewed`);
        return {
          ...(yield* sortReviewed({ ...deps, nameOf: () => nameFor("review") }, planOf, state)),
          stage: "match",
        };
      case "match": {
        const matched = yield* matchCopies(deps, state);
        return { ...matched, stage: matched.messages.runs.length > 0 ? "messages" : "cut" };
      }
      case "messages":
        return { ...(yield* matchMessages(deps, state)), stage: "cut" };
      case "cut":
        return yield* cut(state);
      case "planned":
        return state;
    }
  }

  return {
    begin: async (nameFor) => {
      const { snapshot, select } = await readSnapshot("");
      const data = nameFor("target");
      const live = await listFolders(patient, into);
      const selected = targetsOf(selectFolders(snapshot.folders, select), snapshot.folders, live);
      await keepSurvey(work, data, { live, selected });
      return beginning(data);
    },
    afterRest: (state) => ({ ...state, listing: afterRest(state.listing) }),
    goOn: (state, nameFor) => (state.stage === "planned" ? undefined : goOn(state, nameFor)),
  };
};

const beginning = (data: string): PlanState => ({
  stage: "items",
  generation: randomBytes(6).toString("hex"),
  data,
  ...{ sorted: 0, keyless: false, inUse: {}, listing: NOTHING_LISTED, liveKeyless: false, reviewed: 0 },
  ...{ copies: NOTHING_SORTED, messages: NOTHING_SORTED, planned: NOTHING_SORTED },
  ...{ items: 0, present: 0, replaced: 0, bytes: 0, bodyBytes: 0, arrivingIn: {}, presentIn: {}, chunks: 0 },
});

/** Stands for a folder where its long id would be repeated in every state. */
export const indexIn = (folders: readonly TargetFolder[]): ((sourceId: string) => number) => {
  const indices = new Map(folders.map(({ sourceId }, index) => [sourceId, index]));
  return (sourceId) => indices.get(sourceId) ?? -1;
};

/** A folder that is selected by itself is needed even when it is empty. */
const neededFolders = (
  all: readonly SnapshotFolder[],
  select: Selection,
  isInUse: (folderId: string) => boolean,
): SnapshotFolder[] => {
  const folders = selectFolders(all, select);
  return "all" in select || "folders" in select ? folders : folders.filter(({ id }) => isInUse(id));
};

/** Differs between two restores of one minute, so that a retried plan finds its own folder. */
const topName = (restoreId: RunId): string => {
  const [, year, month, day, hour, minute] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)/.exec(restoreId) ?? [];
  return `Restored ${year}-${month}-${day} ${hour}.${minute} ${restoreId.slice(-6)}`;
};
