import type { MailboxKey, SnapshotId } from "../../shared/contracts/ids.ts";
import type { Blobs } from "../../shared/storage/blobs.ts";
import { itemSet } from "../../shared/vault/item-set.ts";
import { baseName, manifestName, parseVaultName, RECORDS_CHUNK } from "../../shared/vault/names.ts";
import { type Pin, readLink } from "../../shared/vault/snapshots.ts";
import { packsNamedBy } from "./pack-lists.ts";

/** The blobs that some snapshots of a mailbox need. */
export interface NeededBlobs {
  /** Adds a snapshot's blobs. False when time was up before all were known: then nothing is known to be unneeded. */
  add(id: SnapshotId): Promise<boolean>;
  has(name: string): boolean;
}

/** The run of a pack without items. No record names such a pack: it stays as long as the manifest of its run. */
const runOfRecords = (name: string): SnapshotId | undefined => {
  const parsed = parseVaultName(name);
  return parsed?.kind === "pack" && parsed.chunk === RECORDS_CHUNK ? parsed.snapshotId : undefined;
};

/**
 * A snapshot needs every blob that is named on the way from it to its base: manifests, the base beside the last one,
 * the parts of both, and the packs that any record of those parts names. So a needed blob never names an unneeded one.
 * That is more than a reader of the snapshot asks for: a later record of the same run may replace an earlier version.
 *
 * Remembers 16 bytes of each name. A collision keeps a blob that nobody needs; it never removes one that somebody
 * needs.
 *
 * @throws {VaultDamageError} when a needed blob is missing or was altered.
 */
export const neededBlobs = (
  deps: { readonly vault: Blobs; readonly state: Blobs },
  mailboxKey: MailboxKey,
  bases: readonly SnapshotId[],
  isLate: () => boolean,
): NeededBlobs => {
  const withBase = new Set(bases);
  const walked = new Set<SnapshotId>();
  const names = itemSet();
  const add = (name: string) => names.add({ folderId: "", id: name });

  return {
    has: (name) => names.has({ folderId: "", id: name }) || walked.has(runOfRecords(name) ?? ""),

    add: async (id) => {
      let next: Pin | null = { id };
      while (next !== null && !walked.has(next.id)) {
        const { manifest, base } = await readLink(deps.vault, mailboxKey, next, withBase.has(next.id));
        add(manifestName(mailboxKey, manifest.id));
        if (base !== undefined) add(baseName(mailboxKey, manifest.id));
        for (const { parts, root } of base === undefined ? [manifest] : [manifest, base]) {
          for (const { name } of parts) add(name);
          const { packs, isNew } = await packsNamedBy(deps, mailboxKey, { id: manifest.id, parts, root });
          for (const pack of packs) add(pack);
          // Only a new list may end this call: it is kept for the next one, so each call gets further.
          if (isNew && isLate()) return false;
        }
        walked.add(manifest.id);
        next = manifest.base || base !== undefined ? null : manifest.parent;
      }
      return true;
    },
  };
};
