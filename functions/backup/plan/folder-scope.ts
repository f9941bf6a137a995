import { type LiveFolder, pathSegment } from "../../../shared/graph/folders.ts";

/**
 * Folders without content of the person's own: views, leftovers of synchronization, and the dumpster, which retention
 * governs. Source: what a mailbox copy product in production leaves out.
 */
const EXCLUDED_BY_DEFAULT: readonly string[] = [
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
];

/** Whether a folder and the folders below it are backed up; `undefined` where its parent decides. */
export type FolderScope = (folder: LiveFolder) => boolean | undefined;

/**
 * The defaults, changed by the entries of a setting. A well-known name or a path excludes a folder and the folders
 * below it; `+` and a well-known name take back one of the defaults. A search folder counts as `searchfolders`. Paths
 * are compared without regard to case, as Exchange compares names. An entry that begins with `/` is always a path,
 * never a well-known name.
 *
 * @throws {Error} for `+` and a name that is not excluded by default.
 */
export const folderScope = (entries: readonly string[]): FolderScope => {
  const names = new Map(EXCLUDED_BY_DEFAULT.map((name) => [name, false]));
  const paths = new Set<string>();
  for (const entry of entries) {
    const text = entry.toLowerCase();
    if (!text.startsWith("+")) {
      paths.add(canonicalPath(text));
      if (!text.includes("/")) names.set(text, false);
    } else if (EXCLUDED_BY_DEFAULT.includes(text.slice(1))) {
      names.set(text.slice(1), true);
    } else {
      throw new Error(`BACKUP_EXCLUDE_FOLDERS takes back ${entry.slice(1)}, which is not excluded by default`);
    }
  }
  return ({ wellKnownName, path, isSearch }) =>
    paths.has(canonicalPath(path.toLowerCase()))
      ? false
      : (names.get(wellKnownName?.toLowerCase() ?? "") ?? (isSearch && names.get("searchfolders")));
};

const canonicalPath = (path: string): string =>
  path
    .replace(/^\//, "")
    .split("/")
    .map((segment) => pathSegment(decodeURIComponent(segment)))
    .join("/");

const defaultScope = folderScope([]);

/** The folders that are backed up; parents must come before children. The nearest decision above a folder counts. */
export const foldersInScope = (folders: readonly LiveFolder[], scope: FolderScope = defaultScope): LiveFolder[] => {
  const taken = new Map<string, boolean>();
  return folders.filter((folder) => {
    const inherited = folder.parentId === undefined ? undefined : taken.get(folder.parentId);
    const own = scope(folder) ?? inherited ?? true;
    taken.set(folder.id, own);
    return own;
  });
};
