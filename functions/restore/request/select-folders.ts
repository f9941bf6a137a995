import { findFolder } from "../../../shared/vault/find-folder.ts";
import type { ManifestFolder } from "../../../shared/vault/manifest.ts";
import type { Selection } from "../restore.contract.ts";

/** A selection names a folder that the snapshot does not have. */
export class UnknownFolderError extends Error {
  override readonly name = "UnknownFolderError";
  readonly folder: string;

  constructor(folder: string) {
    super("The snapshot has no folder of that id, path or well-known name");
    this.folder = folder;
  }
}

/**
 * The snapshot's folders that a selection leaves to choose items from, parents before children: all of them, unless it
 * names some by id, path or well-known name; each of those with what lies below it, if the selection wants that.
 *
 * @throws {UnknownFolderError}
 */
export const selectFolders = (folders: readonly ManifestFolder[], select: Selection): ManifestFolder[] => {
  if ("folders" in select) return chosenFolders(folders, select.folders, select.children ?? true);
  const only = "query" in select ? select.query.folder : undefined;
  return only === undefined ? inTreeOrder(folders) : [named(folders, only)];
};

const chosenFolders = (
  folders: readonly ManifestFolder[],
  names: readonly string[],
  children: boolean,
): ManifestFolder[] => {
  const chosen = new Set(names.map((name) => named(folders, name).id));
  return inTreeOrder(folders).filter(({ id, parentId }) => {
    if (children && parentId !== undefined && chosen.has(parentId)) chosen.add(id);
    return chosen.has(id);
  });
};

const named = (folders: readonly ManifestFolder[], name: string): ManifestFolder => {
  const folder = findFolder(folders, name);
  if (folder === undefined) throw new UnknownFolderError(name);
  return folder;
};

const depth = ({ path }: ManifestFolder): number => path.split("/").length;

const inTreeOrder = (folders: readonly ManifestFolder[]): ManifestFolder[] =>
  folders.toSorted((a, b) => depth(a) - depth(b));
