import type { LiveFolder } from "../../../shared/graph/folders.ts";
import type { SnapshotFolder } from "../../../shared/vault/records.ts";

/** Where the items of a folder of the snapshot go: a live folder, or one to create under this name. */
export interface FolderMatch {
  readonly displayName: string;
  readonly live?: LiveFolder;
}

/** A deleted folder keeps its id, and lies below one of these. */
const DELETED: readonly string[] = ["deleteditems", "recoverableitemsroot", "recoverableitemsdeletions"];

/**
 * The match of each folder of a snapshot, in its own mailbox or another one. No two share a live folder.
 *
 * A folder is the live one of its id, wherever that is now, unless it was deleted since; else the one of its well-known
 * name; else one of its name below the match of its parent, preferably of its very name and type. Folders may share a
 * name, as other clients can make them, but cannot be created so: the second is created, and found again, under its
 * name and a number. All folders are matched, and not only the selected ones, so that a match never depends on that.
 */
export const matchFolders = (
  all: readonly SnapshotFolder[],
  live: readonly LiveFolder[],
): ReadonlyMap<string, FolderMatch> => {
  const byId = new Map(all.map((folder) => [folder.id, folder]));
  const matches = new Map<string, FolderMatch>();
  const free = new Set(live);
  const match = ({ id }: SnapshotFolder, found: LiveFolder): void => {
    matches.set(id, { displayName: found.displayName, live: found });
    free.delete(found);
  };
  const open = (folders: readonly SnapshotFolder[]): SnapshotFolder[] => folders.filter(({ id }) => !matches.has(id));

  matchByIds(all, live, match);
  for (const folder of open(all)) {
    const name = folder.wellKnownName?.toLowerCase();
    const found = name && [...free].find(({ wellKnownName }) => wellKnownName?.toLowerCase() === name);
    if (found) match(folder, found);
  }

  const children = groupBy(live, placeOfLive);
  const paths = groupBy(live, ({ path }) => path.toLowerCase());
  const placeOf = ({ parentId }: SnapshotFolder): string => {
    if (parentId === undefined || !byId.has(parentId)) return ROOT;
    return matches.get(parentId)?.live?.id ?? `new ${parentId}`;
  };
  const namesakes = (folder: SnapshotFolder, displayName = folder.displayName): LiveFolder[] => {
    const isTop = folder.parentId === undefined || byId.has(folder.parentId);
    const here = isTop ? children.get(placeOf(folder)) : paths.get(folder.path.toLowerCase());
    return (here ?? []).filter((found) => free.has(found) && sameName(found.displayName, displayName));
  };
  const numbered = (folder: SnapshotFolder, taken: ReadonlySet<string>): FolderMatch => {
    for (let n = 2; ; n += 1) {
      const displayName = `${folder.displayName} (${n})`;
      const [found] = namesakes(folder, displayName);
      if (found !== undefined) return { displayName: found.displayName, live: found };
      if (!taken.has(displayName.toLowerCase())) return { displayName };
    }
  };

  for (const level of levelsOf(all)) {
    for (const fits of FITS)
      for (const folder of open(level)) {
        const found = namesakes(folder).find((candidate) => fits(folder, candidate));
        if (found !== undefined) match(folder, found);
      }
    for (const [place, siblings] of groupBy(open(level), placeOf)) {
      const taken = new Set((children.get(place) ?? []).map(({ displayName }) => displayName.toLowerCase()));
      const first = siblings.filter(({ displayName }) => {
        const isFirst = !taken.has(displayName.toLowerCase());
        taken.add(displayName.toLowerCase());
        return isFirst;
      });
      for (const { id, displayName } of first) matches.set(id, { displayName });
      for (const folder of open(siblings)) {
        const found = numbered(folder, taken);
        if (found.live !== undefined) match(folder, found.live);
        else matches.set(folder.id, found);
        taken.add(found.displayName.toLowerCase());
      }
    }
  }
  return matches;
};

const ROOT = "";
const placeOfLive = ({ parentId }: LiveFolder): string => parentId ?? ROOT;

/** Exchange compares folder names without regard to case. */
const sameName = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase();

/** Which live folder of the same name to prefer. One of another type has to do: no second one could be created. */
const FITS: readonly ((folder: SnapshotFolder, live: LiveFolder) => boolean)[] = [
  (folder, live) => live.displayName === folder.displayName && live.type === folder.type,
  (folder, live) => live.type === folder.type,
  () => true,
];

const matchByIds = (
  all: readonly SnapshotFolder[],
  live: readonly LiveFolder[],
  match: (folder: SnapshotFolder, found: LiveFolder) => void,
): void => {
  const ids = new Map(live.map((folder) => [folder.id, folder]));
  // Where Graph does not show well-known names, the snapshot has them.
  const bins = new Set([...all, ...live].filter(isBin).map(({ id }) => id));
  const wasDeleted = belowOneOf(bins, all);
  const isDeleted = belowOneOf(bins, live);
  for (const folder of all) {
    const found = ids.get(folder.id);
    if (found !== undefined && (wasDeleted(folder.id) || !isDeleted(found.id))) match(folder, found);
  }
};

const isBin = ({ wellKnownName }: { readonly wellKnownName?: string | undefined }): boolean =>
  DELETED.includes(wellKnownName?.toLowerCase() ?? "");

/** Whether a folder lies below one of some folders. */
const belowOneOf = (
  tops: ReadonlySet<string>,
  folders: readonly { readonly id: string; readonly parentId?: string | undefined }[],
): ((id: string) => boolean) => {
  const parents = new Map(folders.map(({ id, parentId }) => [id, parentId]));
  return (id) => {
    const seen = new Set<string>();
    for (let above = parents.get(id); above !== undefined && !seen.has(above); above = parents.get(above)) {
      if (tops.has(above)) return true;
      seen.add(above);
    }
    return false;
  };
};

const groupBy = <T, K>(values: readonly T[], keyOf: (value: T) => K): Map<K, T[]> => {
  const groups = new Map<K, T[]>();
  for (const value of values) {
    const key = keyOf(value);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [value]);
    else group.push(value);
  }
  return groups;
};

/** Folders by depth, those at the top first. */
const levelsOf = (all: readonly SnapshotFolder[]): SnapshotFolder[][] =>
  [...groupBy(all, ({ path }) => path.split("/").length)].toSorted(([a], [b]) => a - b).map(([, level]) => level);
