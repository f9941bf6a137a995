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
  /** The ids of the items that are live in a folder. */
  idsIn(folderId: string): AsyncIterable<string>;
}

export const emptyCatalogue: Catalogue = {
  holds: async () => false,
  idsIn: async function* () {},
};

/**
 * The catalogue of a snapshot. It is read on the first call, which a quiet run never makes, and takes about 15 bytes of
 * memory per item.
 */
export const catalogueOf = (vault: Blobs, key: MailboxKey, snapshotId: SnapshotId): Catalogue => {
  const versionKey = ({ id, folderId, changeKey }: Version) => ({ folderId, id: `${id}\n${changeKey}` });
  const read = async () => {
    const versions = itemSet();
    for await (const record of foldSnapshot(vault, key, snapshotId)) versions.add(versionKey(record));
    return versions;
  };
  let versions: ReturnType<typeof read> | undefined;
  return {
    holds: async (item) => {
      versions ??= read();
      return (await versions).has(versionKey(item));
    },
    idsIn: async function* (folderId) {
      for await (const { id } of foldSnapshot(vault, key, snapshotId, (record) => record.folderId === folderId))
        yield id;
    },
  };
};
