import type { ManifestFolder } from "../../shared/vault/manifest.ts";

/** Returns the path of a folder by its id; `undefined` for a folder that the snapshot does not list. */
export const folderPaths = (folders: readonly ManifestFolder[]): ((id: string) => string | undefined) => {
  const paths = new Map(folders.map(({ id, path }) => [id, path]));
  return (id) => paths.get(id);
};
