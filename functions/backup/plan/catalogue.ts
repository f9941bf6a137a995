import type { MailboxKey, SnapshotId } from "../../../shared/contracts/ids.ts";
import type { Blobs } from "../../../shared/storage/blobs.ts";
import { foldSnapshot } from "../../../shared/vault/fold.ts";
import { itemSet } from "../../../shared/vault/item-set.ts";

interface Version {
  readonly id: string;
  readonly folderId: string;
  readonly changeKey: string;
}

/** What the vault holds of a mailbox: the snapshot that a run follows. */
export interface Catalogue {
  /** Whether this version of the item is stored. */
  holds(item: Version): Promise<boolean>;
  /** The ids of the items that are live in a folder. */
  idsIn(folderId: string): AsyncIterable<string>;
}

export const emptyCatalogue: Catalogue = {
  holds: async () => false,
  idsIn: async function* () {},
};

/**
 * The catalogue of a snapshot, read when it is first asked, which a quiet run never does. Versions take some 15 bytes an
 * item.
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
