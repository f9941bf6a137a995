import { type LiveFolder, pathSegment } from "../../../shared/graph/folders.ts";

/**
 * Folders that hold nothing of the person's own: views, sync debris, and the dumpster, which retention governs. Source:
 * what a mailbox copy product that runs in production leaves out.
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

/** Whether a folder and what is below it is backed up; `undefined` where its parent decides. */
export type FolderScope = (folder: LiveFolder) => boolean | undefined;

/**
 * The defaults, changed by the entries of a setting: a well-known name or a path excludes a folder with all that is below
 * it, and a name behind a `+` takes back one of the defaults. A path is compared without regard to case, as Exchange
 * compares names, and may begin with `/`, which makes it no well-known name.
 *
 * @throws {Error} for a `+` before what is not excluded by default.
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
  return ({ wellKnownName, path }) =>
    paths.has(canonicalPath(path.toLowerCase())) ? false : names.get(wellKnownName?.toLowerCase() ?? "");
};

const canonicalPath = (path: string): string =>
  path
    .replace(/^\//, "")
    .split("/")
    .map((segment) => pathSegment(decodeURIComponent(segment)))
    .join("/");

const defaultScope = folderScope([]);

/** The folders that a backup takes; parents must come before children. The nearest decision above a folder holds. */
export const foldersInScope = (folders: readonly LiveFolder[], scope: FolderScope = defaultScope): LiveFolder[] => {
  const taken = new Map<string, boolean>();
  return folders.filter((folder) => {
    const inherited = folder.parentId === undefined ? undefined : taken.get(folder.parentId);
    const own = scope(folder) ?? inherited ?? true;
    taken.set(folder.id, own);
    return own;
  });
};
