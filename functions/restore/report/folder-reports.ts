import { pathSegment } from "../../../shared/graph/folders.ts";
import type { TargetFolder } from "../restore-state.ts";
import type { FolderCounts, Tally } from "./comparison-state.ts";
import type { FolderReport } from "./restore-report.ts";

/** The rows of a plan's folders, with the outcomes of their items. Folders without items have none. */
export const folderReports = (folders: readonly TargetFolder[], counts: Tally["folders"]): FolderReport[] => {
  const byId = new Map(folders.map((folder) => [folder.sourceId, folder]));
  return folders
    .map((folder, index) => {
      const path = pathOf(folder, byId);
      const outcomes = { ...(counts[index] ?? NO_OUTCOMES), alreadyThere: folder.present ?? 0 };
      return { folderId: folder.sourceId, ...(path === undefined ? {} : { path }), ...outcomes };
    })
    .filter(({ wanted, alreadyThere }) => wanted + alreadyThere > 0);
};

export const NO_OUTCOMES: FolderCounts = { wanted: 0, imported: 0, replaced: 0, present: 0, missing: 0, surplus: 0 };

/** The path of a live folder, else the names from the top down; `undefined` when the plan lacks a folder above. */
const pathOf = (folder: TargetFolder, byId: ReadonlyMap<string, TargetFolder>): string | undefined => {
  if (folder.path !== undefined) return folder.path;
  const segment = pathSegment(folder.displayName);
  if (folder.parentSourceId === undefined) return segment;
  const parent = byId.get(folder.parentSourceId);
  const above = parent && pathOf(parent, byId);
  return above && `${above}/${segment}`;
};
