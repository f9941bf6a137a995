import type { Selection } from "../../shared/contracts/restore.ts";
import { findFolder } from "../../shared/vault/find-folder.ts";
import type { ManifestFolder } from "../../shared/vault/manifest.ts";

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
 * The snapshot's folders that a selection means, parents before children: named by id, path or well-known name, each
 * with what lies below it.
 *
 * @throws {UnknownFolderError}
 */
export const selectFolders = (folders: readonly ManifestFolder[], select: Selection): ManifestFolder[] => {
  if ("all" in select) return inTreeOrder(folders);
  const chosen = new Set(select.folders.map((name) => named(folders, name).id));
  return inTreeOrder(folders).filter((folder) => {
    const wanted = chosen.has(folder.id) || (folder.parentId !== undefined && chosen.has(folder.parentId));
    if (wanted) chosen.add(folder.id);
    return wanted;
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
