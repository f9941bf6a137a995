import type { ManifestFolder } from "./manifest.ts";

/** A snapshot's folder by its id, else by its path, else by its well-known name; the last two in any case. */
export const findFolder = (folders: readonly ManifestFolder[], name: string): ManifestFolder | undefined => {
  const lower = name.toLowerCase();
  return (
    folders.find(({ id }) => id === name) ??
    folders.find(({ path }) => path.toLowerCase() === lower) ??
    folders.find(({ wellKnownName }) => wellKnownName?.toLowerCase() === lower)
  );
};
