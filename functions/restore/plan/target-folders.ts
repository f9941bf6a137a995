import type { LiveFolder } from "../../../shared/graph/folders.ts";
import type { SnapshotFolder } from "../../../shared/vault/records.ts";
import type { Target } from "../restore.contract.ts";
import type { TargetFolder } from "../restore-state.ts";
import { matchFolders } from "./match-folders.ts";

/** The source id of the new folder that holds the others in a `new-folder` restore. */
export const TOP_FOLDER_ID = "";

/**
 * The target folder of each selected folder, parents before children, in the same mailbox or another one.
 *
 * `original` finds live folders as {@link matchFolders} says. The ancestors of a folder that is not found are needed
 * too. `new-folder` creates all folders below a new one.
 */
export const targetFolders = (
  target: Target,
  selected: readonly SnapshotFolder[],
  all: readonly SnapshotFolder[],
  live: readonly LiveFolder[],
  topName: string,
): TargetFolder[] => (target === "new-folder" ? belowNewFolder(selected, topName) : inPlace(selected, all, live));

const belowNewFolder = (selected: readonly SnapshotFolder[], topName: string): TargetFolder[] => {
  const ids = new Set(selected.map(({ id }) => id));
  const top: TargetFolder = { sourceId: TOP_FOLDER_ID, displayName: topName, type: "IPF.Note" };
  const folders = selected.map(({ id, displayName, type, parentId }) => ({
    sourceId: id,
    displayName,
    type,
    parentSourceId: parentId !== undefined && ids.has(parentId) ? parentId : TOP_FOLDER_ID,
  }));
  return [top, ...withDistinctNames(folders)];
};

/** Folders of one name may meet below the new one: the second gets a number. */
const withDistinctNames = (folders: readonly TargetFolder[]): TargetFolder[] => {
  const taken = new Set<string>();
  return folders.map((folder) => {
    const keyOf = (name: string): string => `${folder.parentSourceId}\n${name.toLowerCase()}`;
    let { displayName } = folder;
    for (let n = 2; taken.has(keyOf(displayName)); n += 1) displayName = `${folder.displayName} (${n})`;
    taken.add(keyOf(displayName));
    return { ...folder, displayName };
  });
};

const inPlace = (
  selected: readonly SnapshotFolder[],
  all: readonly SnapshotFolder[],
  live: readonly LiveFolder[],
): TargetFolder[] => {
  const byId = new Map(all.map((folder) => [folder.id, folder]));
  const targets = new Map<string, TargetFolder>();
  const matches = matchFolders(all, live);
  const addTarget = (folder: SnapshotFolder): void => {
    if (targets.has(folder.id)) return;
    const { id: sourceId, type, parentId } = folder;
    const { displayName = folder.displayName, live: found } = matches.get(sourceId) ?? {};
    const parent = parentId === undefined ? undefined : byId.get(parentId);
    if (found === undefined && parent !== undefined) addTarget(parent);
    targets.set(sourceId, {
      sourceId,
      displayName,
      type,
      ...(found === undefined ? {} : { liveId: found.id, path: found.path }),
      ...(parent === undefined ? {} : { parentSourceId: parent.id }),
    });
  };
  for (const folder of selected) addTarget(folder);
  return [...targets.values()];
};

/**
 * Returns a key of the target folder for a folder of the snapshot. Folders of the snapshot that are one folder in the
 * target have one key: the id of a live folder, or the key of its parent and its name.
 */
export const targetKeys = (folders: readonly TargetFolder[]): ((sourceId: string) => string) => {
  const keys = new Map<string, string>();
  const keyOf = (sourceId: string): string => keys.get(sourceId) ?? sourceId;
  for (const { sourceId, liveId, parentSourceId = "", displayName } of folders)
    keys.set(sourceId, liveId ?? `${keyOf(parentSourceId)}\n${displayName.toLowerCase()}`);
  return keyOf;
};
