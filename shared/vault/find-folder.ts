import type { FolderFacts } from "./records.ts";

/** A snapshot's folder by id, else by path, else by well-known name; the last two without regard to case. */
export const findFolder = <F extends FolderFacts>(folders: readonly F[], name: string): F | undefined => {
  const lower = name.toLowerCase();
  return (
    folders.find(({ id }) => id === name) ??
    folders.find(({ path }) => path.toLowerCase() === lower) ??
    folders.find(({ wellKnownName }) => wellKnownName?.toLowerCase() === lower)
  );
};
