import type { CopyCounter } from "../../../shared/copy-counter.ts";
import { pathSegment } from "../../../shared/graph/folders.ts";
import type { PutRecord } from "../../../shared/vault/records.ts";
import type { RestoreResult } from "../restore.contract.ts";
import type { FolderMap, RestorePlanState, TargetFolder } from "../restore-state.ts";
import type { Settled } from "../upload/ledger.ts";
import type { FolderReport, ItemReport } from "./restore-report.ts";

type Wanted = Pick<PutRecord, "folderId" | "id" | "searchKey" | "rawBytes">;

/** Compares the items of a plan, one after the other, with the ledgers and with the live items of the target. */
export interface ItemComparison {
  /** Matches an item with the live item that was imported for it. Each live item is matched once. */
  add(wanted: Wanted, settled: Settled | undefined): void;
  /** The live folders to search for copies of the items that were not found by id. */
  readonly foldersToSearch: ReadonlySet<string>;
  /** To be called once, after the last item. `copies` are the unmatched live items, by live folder. */
  finish(copies: CopyCounter): { counts: RestoreResult; folders: FolderReport[]; items: ItemReport[] };
}

/** `unmatchedIds` are the ids of all live items; those of matched items are removed. */
export const itemComparison = (
  plan: Pick<RestorePlanState, "present" | "folders">,
  map: FolderMap,
  unmatchedIds: Set<string>,
): ItemComparison => {
  const counts: RestoreResult = {
    imported: 0,
    replaced: 0,
    present: plan.present,
    ambiguous: 0,
    failed: 0,
    missing: 0,
    bytes: 0,
  };
  const folders = new Map(emptyFolders(plan.folders).map((folder) => [folder.folderId, folder]));
  const foldersToSearch = new Set<string>();
  const notFoundById: { wanted: Wanted; settled: Settled | undefined }[] = [];
  const folderOf = ({ folderId }: Wanted): FolderReport => {
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
  const matchCopy = (wanted: Wanted, settled: Settled | undefined, copies: CopyCounter): void => {
    const { folderId, id, searchKey } = wanted;
    const isRefused = settled?.op === "failed" || settled?.op === "ambiguous";
    if (!isRefused && copies.take(map[folderId] ?? "", searchKey)) {
      countRestored(wanted, settled?.op ?? "imported");
      return;
    }
    const outcome = isRefused ? settled.op : "missing";
    counts[outcome] += 1;
    folderOf(wanted).missing += 1;
    items.push({ folderId, id, outcome, ...(settled?.op === "failed" ? { code: settled.code } : {}) });
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
    finish: (copies) => {
      for (const { wanted, settled } of notFoundById) matchCopy(wanted, settled, copies);
      return {
        counts,
        folders: [...folders.values()].filter(({ wanted, alreadyThere }) => wanted + alreadyThere > 0),
        items,
      };
    },
  };
};

const NOTHING = { wanted: 0, imported: 0, replaced: 0, present: 0, missing: 0 };

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
