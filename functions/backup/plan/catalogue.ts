import { type ItemSet, itemSet } from "../../../shared/vault/item-set.ts";
import type { FoldedCatalogue } from "../folded-catalogue.ts";

interface Version {
  readonly id: string;
  readonly folderId: string;
  readonly changeKey: string;
}

/** The items of the snapshot that a run follows. */
export interface Catalogue {
  /** Whether the snapshot holds this version of the item. */
  holds(item: Version): Promise<boolean>;
  /** Whether the snapshot holds any version of the item. */
  has(item: Omit<Version, "changeKey">): Promise<boolean>;
  /** The ids of the items that are live in a folder. */
  idsIn(folderId: string): AsyncIterable<string>;
}

export const emptyCatalogue: Catalogue = {
  holds: async () => false,
  has: async () => false,
  idsIn: async function* () {},
};

interface Bucket {
  readonly versions: ItemSet;
  readonly items: ItemSet;
}

/** Buckets in memory: those of the folders that are planned at the same time. */
const MAX_BUCKETS = 3;

/**
 * The catalogue of a snapshot, which is folded on the first call; a quiet run makes none. Folders are planned in order,
 * a few at a time, so the buckets that were asked for last are in memory, at about 30 bytes per item.
 */
export const catalogueOf = (folded: FoldedCatalogue): Catalogue => {
  const versionKey = ({ id, folderId, changeKey }: Version) => ({ folderId, id: `${id}\n${changeKey}` });
  const read = async (bucket: number): Promise<Bucket> => {
    const sets = { versions: itemSet(), items: itemSet() };
    for await (const item of folded.itemsIn(bucket)) {
      if (item.changeKey !== "") sets.versions.add(versionKey(item));
      sets.items.add(item);
    }
    return sets;
  };
  const loaded = new Map<number, Promise<Bucket>>();
  const setsOf = async (folderId: string): Promise<Bucket | undefined> => {
    const bucket = folded.bucketOf(folderId);
    if (bucket === undefined) return undefined;
    const sets = loaded.get(bucket) ?? read(bucket);
    loaded.delete(bucket);
    loaded.set(bucket, sets);
    for (const oldest of [...loaded.keys()].slice(0, -MAX_BUCKETS)) loaded.delete(oldest);
    return sets;
  };
  return {
    holds: async (item) => (await setsOf(item.folderId))?.versions.has(versionKey(item)) ?? false,
    has: async (item) => (await setsOf(item.folderId))?.items.has(item) ?? false,
    idsIn: async function* (folderId) {
      const bucket = folded.bucketOf(folderId);
      if (bucket === undefined) return;
      for await (const item of folded.itemsIn(bucket)) if (item.folderId === folderId) yield item.id;
    },
  };
};
