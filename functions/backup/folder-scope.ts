import type { LiveFolder } from "../../shared/graph/folders.ts";

/**
 * Folders that hold nothing of the person's own: views, sync debris, and the dumpster, which retention governs. Source:
 * what a mailbox copy product that runs in production leaves out.
 */
const EXCLUDED: ReadonlySet<string> = new Set([
  "searchfolders",
  "syncissues",
  "conflicts",
  "localfailures",
  "serverfailures",
  "outbox",
  "recoverableitemsroot",
  "recoverableitemsdeletions",
  "recoverableitemspurges",
  "recoverableitemsversions",
  "recoverableitemsdiscoveryholds",
  "recoverableitemssubstrateholds",
  "archivedeleteditems",
]);

/** The folders that a backup takes: none that is excluded by its well-known name, or lies below such a one. */
export const foldersInScope = (folders: readonly LiveFolder[]): LiveFolder[] => {
  const excluded = new Set<string>();
  return folders.filter((folder) => {
    const own = EXCLUDED.has(folder.wellKnownName?.toLowerCase() ?? "");
    const inherited = folder.parentId !== undefined && excluded.has(folder.parentId);
    if (own || inherited) excluded.add(folder.id);
    return !(own || inherited);
  });
};
