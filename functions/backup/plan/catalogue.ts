import type { MailboxKey, SnapshotId } from "../../../shared/contracts/ids.ts";
import type { Blobs } from "../../../shared/storage/blobs.ts";
import { foldSnapshot } from "../../../shared/vault/fold.ts";
import { itemSet } from "../../../shared/vault/item-set.ts";

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

/**
 * The catalogue of a snapshot. It is read on the first call, which a quiet run never makes, and takes about 30 bytes of
 * memory per item.
 */
export const catalogueOf = (vault: Blobs, key: MailboxKey, snapshotId: SnapshotId): Catalogue => {
  const versionKey = ({ id, folderId, changeKey }: Version) => ({ folderId, id: `${id}\n${changeKey}` });
  const read = async () => {
    const versions = itemSet();
    const items = itemSet();
    for await (const record of foldSnapshot(vault, key, snapshotId)) {
      versions.add(versionKey(record));
      items.add(record);
    }
    return { versions, items };
  };
  let known: ReturnType<typeof read> | undefined;
  const once = () => {
    known ??= read();
    return known;
  };
  return {
    holds: async (item) => (await once()).versions.has(versionKey(item)),
    has: async (item) => (await once()).items.has(item),
    idsIn: async function* (folderId) {
      for await (const { id } of foldSnapshot(vault, key, snapshotId, (record) => record.folderId === folderId))
        yield id;
    },
  };
};
