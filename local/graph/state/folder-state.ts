import { folderTag, type ItemUid } from "../ids.ts";
import type { SeedFolder } from "../seed.ts";
import type { ItemRecord, RemovalReason } from "./records.ts";

/** An item that is not, or no longer, as the seed has it. */
export interface Entry {
  record: ItemRecord;
  /** Mailbox version at which it came into its folder. */
  arrived: number;
}

export interface LogEntry {
  readonly version: number;
  readonly at: number;
  readonly uid: ItemUid;
  readonly generation: number;
  readonly removed?: RemovalReason;
  /** The item as it was when it was removed. */
  readonly last?: ItemRecord;
  /** What changed of an item that was in the folder before; absent where it came into it. */
  readonly changed?: readonly ShownProperty[];
}

/** What listings and deltas show of an item beside its id. */
export type ShownProperty = "changeKey" | "categories" | "createdDateTime" | "lastModifiedDateTime" | "size" | "type";

/** One folder: the seed's items, less those departed, plus those added, and what has changed since the start. */
export interface FolderState {
  readonly key: string;
  readonly tag: number;
  parentKey: string | undefined;
  displayName: string;
  readonly type: string;
  readonly wellKnownName: string | undefined;
  readonly hidden: boolean;
  readonly search: boolean;
  readonly seedCount: number;
  /** Seed indexes that left the folder, ascending. */
  readonly departed: number[];
  /** Items of this folder's seed with a record of their own, wherever they are now; `gone` for removed ones. */
  readonly changed: Map<number, Entry | "gone">;
  /** Items that came later, by time of arrival. */
  readonly added: Entry[];
  readonly log: LogEntry[];
  /** Newest log version of each item id. */
  readonly latest: Map<string, number>;
  /** Mailbox version of the folder's own last change, counts included; between -1 and 0 when there was none. */
  version: number;
  /** Mailbox version at which it was created; that of the seed for those that were always there. */
  readonly createdVersion: number;
  /** Mailbox version of the newest change of each property. */
  readonly propertyVersions: Map<FolderProperty, number>;
  changedAt: number;
  deltaGeneration: number;
}

/** What of a folder can change. */
export type FolderProperty = "displayName" | "parentFolderId" | "totalItemCount" | "childFolderCount";

type Described = Pick<SeedFolder, "key" | "displayName" | "type" | "parentKey" | "wellKnownName" | "hidden" | "search">;

export const folderState = (folder: Described, seedCount: number, version: number): FolderState => ({
  key: folder.key,
  tag: folderTag(folder.key),
  parentKey: folder.parentKey,
  displayName: folder.displayName,
  type: folder.type,
  wellKnownName: folder.wellKnownName,
  hidden: folder.hidden ?? false,
  search: folder.search ?? false,
  seedCount,
  departed: [],
  changed: new Map(),
  added: [],
  log: [],
  latest: new Map(),
  version,
  createdVersion: version,
  propertyVersions: new Map(),
  changedAt: 0,
  deltaGeneration: 0,
});

/** The first position in an ascending list whose value is at least `value`. */
export const lowerBound = <T>(list: readonly T[], value: number, of: (entry: T) => number): number => {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (of(list[middle] as T) < value) low = middle + 1;
    else high = middle;
  }
  return low;
};

const self = (value: number) => value;

export const seedItemsLeft = (folder: FolderState): number => folder.seedCount - folder.departed.length;

export const itemCount = (folder: FolderState): number => seedItemsLeft(folder) + folder.added.length;

export const hasDeparted = (folder: FolderState, index: number): boolean =>
  folder.departed[lowerBound(folder.departed, index, self)] === index;

export const depart = (folder: FolderState, index: number): void => {
  folder.departed.splice(lowerBound(folder.departed, index, self), 0, index);
};

/** The seed index of the folder's n-th remaining seed item, without walking over those before it. */
export const seedIndexAt = (folder: FolderState, n: number): number => {
  let low = n;
  let high = n + folder.departed.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (middle + 1 - lowerBound(folder.departed, middle + 1, self) < n + 1) low = middle + 1;
    else high = middle;
  }
  return low;
};

export const logKey = (entry: Pick<LogEntry, "uid" | "generation">) =>
  `${entry.uid.home}.${entry.uid.index}.${entry.generation}`;

export const appendLog = (folder: FolderState, entry: LogEntry): void => {
  folder.log.push(entry);
  folder.latest.set(logKey(entry), entry.version);
};

/** A newer change of the same item id makes this one superfluous. */
export const isSuperseded = (folder: FolderState, entry: LogEntry): boolean =>
  folder.latest.get(logKey(entry)) !== entry.version;
