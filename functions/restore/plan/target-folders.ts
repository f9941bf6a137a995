import { type LiveFolder, pathSegment } from "../../../shared/graph/folders.ts";
import type { ManifestFolder } from "../../../shared/vault/manifest.ts";
import type { Target } from "../restore.contract.ts";
import type { TargetFolder } from "../restore-state.ts";

/** The folder of a new-folder restore that holds the others. */
export const TOP = "";

/**
 * Where each selected folder's items go, parents before children, in this mailbox or another one. `original` finds live
 * folders by well-known name, then by path, below whatever the mailbox calls the folder's parent too, and rather one of the
 * same type; it needs the ancestors of those it does not find. `new-folder` needs all of them below a new one.
 */
export const targetFolders = (
  target: Target,
  selected: readonly ManifestFolder[],
  all: readonly ManifestFolder[],
  live: readonly LiveFolder[],
  topName: string,
): TargetFolder[] => (target === "new-folder" ? belowNewFolder(selected, topName) : inPlace(selected, all, live));

const belowNewFolder = (selected: readonly ManifestFolder[], topName: string): TargetFolder[] => {
  const ids = new Set(selected.map(({ id }) => id));
  const top: TargetFolder = { sourceId: TOP, displayName: topName, type: "IPF.Note" };
  const folders = selected.map(({ id, displayName, type, parentId }) => ({
    sourceId: id,
    displayName,
    type,
    parentSourceId: parentId !== undefined && ids.has(parentId) ? parentId : TOP,
  }));
  return [top, ...withDistinctNames(folders)];
};

/** Folders that meet below the new one may bear one name; the second gets a number. */
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
  selected: readonly ManifestFolder[],
  all: readonly ManifestFolder[],
  live: readonly LiveFolder[],
): TargetFolder[] => {
  const byId = new Map(all.map((folder) => [folder.id, folder]));
  const targets = new Map<string, TargetFolder>();
  const twinOf = liveTwins(byId, live);
  const place = (folder: ManifestFolder): void => {
    if (targets.has(folder.id)) return;
    const { id: sourceId, displayName, type, parentId } = folder;
    const found = twinOf(folder);
    const parent = parentId === undefined ? undefined : byId.get(parentId);
    if (found === undefined && parent !== undefined) place(parent);
    targets.set(sourceId, {
      sourceId,
      displayName,
      type,
      ...(found === undefined ? {} : { liveId: found.id }),
      ...(parent === undefined ? {} : { parentSourceId: parent.id }),
    });
  };
  for (const folder of selected) place(folder);
  return [...targets.values()];
};

const liveTwins = (
  byId: ReadonlyMap<string, ManifestFolder>,
  live: readonly LiveFolder[],
): ((folder: ManifestFolder) => LiveFolder | undefined) => {
  const twins = new Map<string, LiveFolder | undefined>();
  const atPath = new Map<string, LiveFolder[]>();
  for (const folder of live) {
    const path = folder.path.toLowerCase();
    atPath.set(path, [...(atPath.get(path) ?? []), folder]);
  }

  const twinOf = (folder: ManifestFolder): LiveFolder | undefined => {
    if (twins.has(folder.id)) return twins.get(folder.id);
    const wellKnown = folder.wellKnownName?.toLowerCase();
    const parent = byId.get(folder.parentId ?? "");
    const parentPath = parent && twinOf(parent)?.path;
    const paths = [folder.path, ...(parentPath ? [`${parentPath}/${pathSegment(folder.displayName)}`] : [])];
    const there = paths.flatMap((path) => atPath.get(path.toLowerCase()) ?? []);
    const twin =
      (wellKnown && live.find(({ wellKnownName }) => wellKnownName?.toLowerCase() === wellKnown)) ||
      there.find(({ type }) => type === folder.type) ||
      // Exchange lets no two folders of one parent share a name, whatever their types, so none could be created.
      there[0];
    twins.set(folder.id, twin);
    return twin;
  };
  return twinOf;
};
