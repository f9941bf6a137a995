import type { CopyCounter } from "../../../shared/copy-counter.ts";
import { pathSegment } from "../../../shared/graph/folders.ts";
import type { PutRecord } from "../../../shared/vault/records.ts";
import type { RestoreResult, Stopped } from "../restore.contract.ts";
import type { FolderMap, RestorePlanState, TargetFolder } from "../restore-state.ts";
import type { Settled } from "../upload/ledger.ts";
import type { FolderReport, ItemReport } from "./restore-report.ts";
import { mayBeThere, type Surplus } from "./surplus-copies.ts";

type Wanted = Pick<PutRecord, "folderId" | "id" | "searchKey" | "rawBytes">;

interface Unmatched {
  readonly wanted: Wanted;
  readonly settled: Settled | undefined;
}

/** Compares the items of a plan, one after the other, with the ledgers and with the live items of the target. */
export interface ItemComparison {
  /** Matches an item with the live item that was imported for it. Each live item is matched once. */
  add(wanted: Wanted, settled: Settled | undefined): void;
  /** The live folders to search for copies of the items that were not found by id. */
  readonly foldersToSearch: ReadonlySet<string>;
  /**
   * To be called once, after the last item. `copies` are the unmatched live items, by live folder. What is missing
   * since the restore stopped has its code.
   */
  finish(
    copies: CopyCounter,
    found: { readonly surplus: readonly Surplus[]; readonly stopped: Stopped | undefined },
  ): { counts: RestoreResult; folders: FolderReport[]; items: ItemReport[] };
}

/** `unmatchedIds` are the ids of all live items; those of matched items are removed. */
export const itemComparison = (
  plan: Pick<RestorePlanState, "present" | "folders">,
  map: FolderMap,
  unmatchedIds: Set<string>,
): ItemComparison => {
  const counts = {
    imported: 0,
    replaced: 0,
    present: plan.present,
    ambiguous: 0,
    failed: 0,
    missing: 0,
    bytes: 0,
    surplus: 0,
  };
  const folders = new Map(emptyFolders(plan.folders).map((folder) => [folder.folderId, folder]));
  const foldersToSearch = new Set<string>();
  const notFoundById: Unmatched[] = [];
  const folderOf = ({ folderId }: Pick<Wanted, "folderId">): FolderReport => {
    const folder = folders.get(folderId);
    if (folder === undefined) throw new Error("The plan has an item of a folder that it does not list");
    return folder;
  };
  const items: ItemReport[] = [];
  const countRestored = (wanted: Wanted, outcome: "imported" | "replaced"): void => {
    const { folderId, id, rawBytes } = wanted;
    counts[outcome] += 1;
    counts.bytes += rawBytes;
    folderOf(wanted).present += 1;
    if (outcome === "replaced") items.push({ folderId, id, outcome });
  };
  const matchCopy = ({ wanted, settled }: Unmatched, copies: CopyCounter, stopped: Stopped | undefined): void => {
    const { folderId, id, searchKey } = wanted;
    const isRefused = settled?.op === "ambiguous" || (settled?.op === "failed" && !mayBeThere(settled));
    if (!isRefused && copies.take(map[folderId] ?? "", searchKey)) {
      countRestored(wanted, settled !== undefined && "itemId" in settled ? settled.op : "imported");
      return;
    }
    const outcome = settled?.op === "failed" || settled?.op === "ambiguous" ? settled.op : "missing";
    counts[outcome] += 1;
    folderOf(wanted).missing += 1;
    const why =
      settled === undefined && stopped !== undefined ? { code: stopped.code ?? stopped.reason } : reasonOf(settled);
    items.push({ folderId, id, outcome, ...why });
  };
  const countSurplus = ({ folderId, id, count, lookAt }: Surplus): void => {
    counts.surplus += count;
    folderOf({ folderId }).surplus += count;
    items.push({ folderId, id, outcome: "surplus", lookAt: [...lookAt] });
  };

  return {
    add: (wanted, settled) => {
      const folder = folderOf(wanted);
      folder.wanted += 1;
      if (settled !== undefined && "itemId" in settled) {
        folder[settled.op] += 1;
        if (unmatchedIds.delete(settled.itemId)) {
          countRestored(wanted, settled.op);
          return;
        }
      }
      notFoundById.push({ wanted, settled });
      const live = map[wanted.folderId];
      if (live !== undefined) foldersToSearch.add(live);
    },
    foldersToSearch,
    finish: (copies, { surplus, stopped }) => {
      for (const unmatched of notFoundById) matchCopy(unmatched, copies, stopped);
      for (const each of surplus) countSurplus(each);
      return {
        counts,
        folders: [...folders.values()].filter(({ wanted, alreadyThere }) => wanted + alreadyThere > 0),
        items,
      };
    },
  };
};

/** Why an item did not come back, or may not have, and which live items to look at. */
const reasonOf = (settled: Settled | undefined): Pick<ItemReport, "code" | "lookAt"> => {
  if (settled?.op === "failed") return { code: settled.code };
  if (settled?.op !== "ambiguous") return {};
  const { code, lookAt } = settled;
  return { ...(code === undefined ? {} : { code }), ...(lookAt === undefined ? {} : { lookAt }) };
};

const NOTHING = { wanted: 0, imported: 0, replaced: 0, present: 0, missing: 0, surplus: 0 };

const emptyFolders = (folders: readonly TargetFolder[]): FolderReport[] => {
  const byId = new Map(folders.map((folder) => [folder.sourceId, folder]));
  return folders.map((folder) => {
    const path = pathOf(folder, byId);
    const counts = { ...NOTHING, alreadyThere: folder.present ?? 0 };
    return { folderId: folder.sourceId, ...(path === undefined ? {} : { path }), ...counts };
  });
};

/** The path of a live folder, else the names from the top down; `undefined` when the plan lacks a folder above. */
const pathOf = (folder: TargetFolder, byId: ReadonlyMap<string, TargetFolder>): string | undefined => {
  if (folder.path !== undefined) return folder.path;
  const segment = pathSegment(folder.displayName);
  if (folder.parentSourceId === undefined) return segment;
  const parent = byId.get(folder.parentSourceId);
  const above = parent && pathOf(parent, byId);
  return above && `${above}/${segment}`;
};
