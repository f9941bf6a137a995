import { isDeepStrictEqual } from "node:util";
import { folderTag, HOME_CREATED, type IdCodec, type ItemUid } from "../ids.ts";
import type { SeedMailbox } from "../seed.ts";
import {
  appendLog,
  depart,
  type Entry,
  type FolderProperty,
  type FolderState,
  folderState,
  hasDeparted,
  lowerBound,
  type ShownProperty,
  seedIndexAt,
  seedItemsLeft,
} from "./folder-state.ts";
import type { Change, ItemRecord, RemovalReason } from "./records.ts";

/** A mailbox: its seed, and above it everything that happened since. All of it is synchronous. */
export interface MailboxState {
  readonly ids: IdCodec;
  readonly seed: SeedMailbox;
  /** Folders by key; removed ones are not in it. */
  readonly folders: ReadonlyMap<string, FolderState>;
  readonly removedFolders: readonly RemovedFolder[];
  readonly version: () => number;
  readonly commit: (change: Change) => void;
  readonly folderById: (id: string) => FolderState | undefined;
  readonly itemById: (id: string) => ItemRecord | undefined;
  readonly itemByUid: (uid: ItemUid) => ItemRecord | undefined;
  /** The n-th item of a folder in its plain order, from 0. */
  readonly itemAt: (folder: FolderState, n: number) => ItemRecord;
  /** A seed item that is still in its first folder. */
  readonly seedItem: (folder: FolderState, index: number) => ItemRecord;
  /** A uid for an item that is not in the seed. */
  readonly nextUid: () => ItemUid;
  /** A change number that no item has had. */
  readonly nextChangeNumber: () => number;
  readonly deltaGeneration: () => number;
}

export interface RemovedFolder {
  readonly folder: FolderState;
  readonly version: number;
}

/** Change numbers of seed items start here, those of later changes far above. */
const SEED_CHANGE_NUMBER = 0x1000_0000;
const LATER_CHANGE_NUMBER = 0x4000_0000;

/** `onChange` sees each change that took effect, for the journal. */
export const mailboxState = (seed: SeedMailbox, ids: IdCodec, onChange: (change: Change) => void): MailboxState => {
  const folders = new Map(
    seed.folders.map((folder, i) => [
      folder.key,
      folderState(folder, folder.itemCount, (i + 1) / (seed.folders.length + 1) - 1),
    ]),
  );
  const byTag = new Map([...folders.values()].map((folder) => [folder.tag, folder]));
  if (byTag.size !== folders.size) throw new Error("Two folders of the mailbox have the same key or key hash");
  const removedFolders: RemovedFolder[] = [];
  const created = new Map<number, Entry | "gone">();
  let version = 0;
  let serial = 0;
  let newestChangeNumber = LATER_CHANGE_NUMBER;
  let deltaGeneration = 0;

  const entryOf = (uid: ItemUid) =>
    uid.home === HOME_CREATED ? created.get(uid.index) : byTag.get(uid.home)?.changed.get(uid.index);

  const recordOfSeed = (folder: FolderState, index: number): ItemRecord => {
    const { payload: _, payloadBytes: __, modified, ...properties } = seed.item(folder.key, index);
    return {
      home: folder.tag,
      index,
      generation: 0,
      folderKey: folder.key,
      changeNumber: SEED_CHANGE_NUMBER + index,
      properties: { ...properties, categories: [...properties.categories] },
      created: properties.created,
      modified,
      imported: false,
      content: { kind: "seed", folderKey: folder.key, index },
    };
  };

  const seedItem = (folder: FolderState, index: number): ItemRecord => {
    const entry = folder.changed.size === 0 ? undefined : folder.changed.get(index);
    return entry === undefined || entry === "gone" ? recordOfSeed(folder, index) : entry.record;
  };

  const itemByUid = (uid: ItemUid): ItemRecord | undefined => {
    const entry = entryOf(uid);
    if (entry === "gone") return undefined;
    if (entry !== undefined) return folders.has(entry.record.folderKey) ? entry.record : undefined;
    const home = byTag.get(uid.home);
    if (home === undefined || !folders.has(home.key) || uid.index >= home.seedCount) return undefined;
    return recordOfSeed(home, uid.index);
  };

  const setEntry = (uid: ItemUid, entry: Entry | "gone") => {
    if (uid.home === HOME_CREATED) created.set(uid.index, entry);
    else byTag.get(uid.home)?.changed.set(uid.index, entry);
  };

  const touch = (folder: FolderState, at: number, ...changed: FolderProperty[]) => {
    folder.version = version;
    folder.changedAt = at;
    for (const property of changed) folder.propertyVersions.set(property, version);
  };

  const leave = (uid: ItemUid, reason: RemovalReason, at: number) => {
    const record = itemByUid(uid);
    const folder = record && folders.get(record.folderKey);
    if (record === undefined || folder === undefined) return;
    const entry = entryOf(uid);
    const position = typeof entry === "object" ? lowerBound(folder.added, entry.arrived, (e) => e.arrived) : -1;
    if (position >= 0 && folder.added[position] === entry) folder.added.splice(position, 1);
    else depart(folder, uid.index);
    appendLog(folder, { version, at, uid, generation: record.generation, removed: reason, last: record });
    touch(folder, at, "totalItemCount");
  };

  const putItem = (record: ItemRecord, at: number) => {
    const uid = { home: record.home, index: record.index };
    const folder = folders.get(record.folderKey);
    if (folder === undefined) throw new Error(`There is no folder ${record.folderKey} for the item`);
    const before = itemByUid(uid);
    const entry = entryOf(uid);

    const stays = before?.folderKey === record.folderKey;
    const changed = stays ? changedProperties(before, record) : undefined;

    if (stays) {
      if (typeof entry === "object") entry.record = record;
      else setEntry(uid, { record, arrived: 0 });
    } else {
      if (before !== undefined) leave(uid, "deleted", at);
      const added = { record, arrived: version };
      folder.added.push(added);
      setEntry(uid, added);
    }
    if (uid.home === HOME_CREATED) serial = Math.max(serial, uid.index + 1);
    newestChangeNumber = Math.max(newestChangeNumber, record.changeNumber);
    appendLog(folder, { version, at, uid, generation: record.generation, ...(changed && { changed }) });
    touch(folder, at, ...(stays ? [] : ["totalItemCount" as const]));
  };

  /** A count alone does not bring a folder into a delta; the next change that does shows it. */
  const countChildren = (key: string | undefined) => {
    if (key !== undefined) folders.get(key)?.propertyVersions.set("childFolderCount", version);
  };

  const putFolder = (change: Extract<Change, { op: "folder" }>) => {
    const existing = folders.get(change.key);
    const { key, displayName, type, wellKnownName, hidden, search } = change;
    const folder =
      existing ??
      folderState(
        {
          key,
          displayName,
          type,
          ...(wellKnownName !== undefined && { wellKnownName }),
          ...(hidden !== undefined && { hidden }),
          ...(search !== undefined && { search }),
        },
        0,
        version,
      );
    const isNamed = folder.displayName !== change.displayName;
    const isMoved = folder.parentKey !== change.parentKey;
    const parents = existing === undefined ? [change.parentKey] : isMoved ? [folder.parentKey, change.parentKey] : [];
    folder.parentKey = change.parentKey;
    folder.displayName = change.displayName;
    folders.set(folder.key, folder);
    byTag.set(folder.tag, folder);
    touch(
      folder,
      change.at,
      ...(isNamed ? ["displayName" as const] : []),
      ...(isMoved ? ["parentFolderId" as const] : []),
    );
    for (const key of parents) countChildren(key);
  };

  const removeFolder = (key: string, at: number) => {
    for (const child of [...folders.values()].filter((folder) => folder.parentKey === key)) {
      removeFolder(child.key, at);
    }
    const folder = folders.get(key);
    if (folder === undefined) return;
    folders.delete(key);
    touch(folder, at);
    countChildren(folder.parentKey);
    removedFolders.push({ folder, version });
  };

  const apply = (change: Change) => {
    version += 1;
    switch (change.op) {
      case "item":
        return putItem(change.record, change.at);
      case "item-gone":
        leave(change, change.reason, change.at);
        return setEntry({ home: change.home, index: change.index }, "gone");
      case "folder":
        return putFolder(change);
      case "folder-gone":
        return removeFolder(change.key, change.at);
      case "delta-expired":
        if (change.folderKey === undefined) deltaGeneration += 1;
        for (const folder of folders.values()) {
          if (folder.key === (change.folderKey ?? folder.key)) folder.deltaGeneration += 1;
        }
    }
  };

  return {
    ids,
    seed,
    folders,
    removedFolders,
    version: () => version,
    commit: (change) => {
      apply(change);
      onChange(change);
    },
    folderById: (id) => {
      const folder = byTag.get(ids.readFolder(id) ?? -1);
      return folder && folders.get(folder.key);
    },
    itemById: (id) => {
      const place = ids.readItem(id);
      const record = place && itemByUid(place.uid);
      return record?.generation === place?.generation ? record : undefined;
    },
    itemByUid,
    itemAt: (folder, n) => {
      const seedItems = seedItemsLeft(folder);
      if (n < seedItems) return seedItem(folder, seedIndexAt(folder, n));
      const entry = folder.added[n - seedItems];
      if (entry === undefined) throw new RangeError(`Folder ${folder.key} has no item ${n}`);
      return entry.record;
    },
    seedItem,
    nextUid: () => ({ home: HOME_CREATED, index: serial++ }),
    nextChangeNumber: () => ++newestChangeNumber,
    deltaGeneration: () => deltaGeneration,
  };
};

const changedProperties = (before: ItemRecord, now: ItemRecord): ShownProperty[] => {
  const pairs: Readonly<Record<ShownProperty, readonly [unknown, unknown]>> = {
    changeKey: [before.changeNumber, now.changeNumber],
    categories: [before.properties.categories, now.properties.categories],
    createdDateTime: [before.created, now.created],
    lastModifiedDateTime: [before.modified, now.modified],
    size: [before.content, now.content],
    type: [before.properties.type, now.properties.type],
  };
  return (Object.keys(pairs) as ShownProperty[]).filter((name) => !isDeepStrictEqual(...pairs[name]));
};

/** The parent of the folders that have none in the seed. */
export const ROOT_TAG = folderTag("\u0000root");

/** Every item of a folder's seed that is still there, from a seed index on. */
export function* seedItemsFrom(state: MailboxState, folder: FolderState, from: number): Generator<ItemRecord> {
  for (let index = from; index < folder.seedCount; index++) {
    if (!hasDeparted(folder, index)) yield state.seedItem(folder, index);
  }
}
