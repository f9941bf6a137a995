import { type LiveFolder, pathSegment } from "../../../shared/graph/folders.ts";
import type { SnapshotFolder } from "../../../shared/vault/records.ts";
import type { Target } from "../restore.contract.ts";
import type { TargetFolder } from "../restore-state.ts";

/** The source id of the new folder that holds the others in a `new-folder` restore. */
export const TOP_FOLDER_ID = "";

/**
 * The target folder of each selected folder, parents before children, in the same mailbox or another one.
 *
 * `original` looks for a live folder by well-known name, then by path. The path may begin with the name that the live
 * mailbox has for the folder's parent. A folder of the same type is preferred. The ancestors of a folder that is not
 * found are needed too. `new-folder` creates all folders below a new one.
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
  const matchOf = liveMatches(byId, live);
  const addTarget = (folder: SnapshotFolder): void => {
    if (targets.has(folder.id)) return;
    const { id: sourceId, displayName, type, parentId } = folder;
    const found = matchOf(folder);
    const parent = parentId === undefined ? undefined : byId.get(parentId);
    if (found === undefined && parent !== undefined) addTarget(parent);
    targets.set(sourceId, {
      sourceId,
      displayName,
      type,
      ...(found === undefined ? {} : { liveId: found.id }),
      ...(parent === undefined ? {} : { parentSourceId: parent.id }),
    });
  };
  for (const folder of selected) addTarget(folder);
  return [...targets.values()];
};

const liveMatches = (
  byId: ReadonlyMap<string, SnapshotFolder>,
  live: readonly LiveFolder[],
): ((folder: SnapshotFolder) => LiveFolder | undefined) => {
  const matches = new Map<string, LiveFolder | undefined>();
  const atPath = new Map<string, LiveFolder[]>();
  for (const folder of live) {
    const path = folder.path.toLowerCase();
    atPath.set(path, [...(atPath.get(path) ?? []), folder]);
  }

  const matchOf = (folder: SnapshotFolder): LiveFolder | undefined => {
    if (matches.has(folder.id)) return matches.get(folder.id);
    const wellKnown = folder.wellKnownName?.toLowerCase();
    const parent = byId.get(folder.parentId ?? "");
    const parentPath = parent && matchOf(parent)?.path;
    const paths = [folder.path, ...(parentPath ? [`${parentPath}/${pathSegment(folder.displayName)}`] : [])];
    const candidates = paths.flatMap((path) => atPath.get(path.toLowerCase()) ?? []);
    const match =
      (wellKnown && live.find(({ wellKnownName }) => wellKnownName?.toLowerCase() === wellKnown)) ||
      candidates.find(({ type }) => type === folder.type) ||
      // Exchange lets no two folders of one parent share a name, whatever their types, so none could be created.
      candidates[0];
    matches.set(folder.id, match);
    return match;
  };
  return matchOf;
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
