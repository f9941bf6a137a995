import type { SnapshotFolder } from "../../shared/vault/records.ts";

/** Returns the path of a folder by its id; `undefined` for a folder that the snapshot does not list. */
export const folderPaths = (
  folders: readonly Pick<SnapshotFolder, "id" | "path">[],
): ((id: string) => string | undefined) => {
  const paths = new Map(folders.map(({ id, path }) => [id, path]));
  return (id) => paths.get(id);
};
