import type { MailboxKey } from "../../shared/contracts/ids.ts";
import type { Blobs } from "../../shared/storage/blobs.ts";
import { VaultDamageError } from "../../shared/vault/damage.ts";
import type { Head } from "../../shared/vault/head.ts";
import { readHead, readManifest } from "../../shared/vault/snapshots.ts";

/** A mailbox's head, and how many items its newest snapshot left out for good, or what is damaged; empty for no head. */
export interface StoredMailbox {
  readonly head?: Head;
  readonly skipped?: number;
  readonly damage?: string;
}

/** What the vault holds of one mailbox. Damage to one must not hide the others, so it is told in its place. */
export const storedMailbox = (vault: Blobs, key: MailboxKey): Promise<StoredMailbox> =>
  withoutHiding(async () => {
    const head = await readHead(vault, key);
    if (head === undefined) return {};
    const snapshot = head.newest && (await readManifest(vault, key, head.newest.id));
    return { head, ...(snapshot ? { skipped: snapshot.manifest.counts.skipped } : {}) };
  });

/** The same by the head alone, which costs one read. */
export const storedHead = (vault: Blobs, key: MailboxKey): Promise<StoredMailbox> =>
  withoutHiding(async () => {
    const head = await readHead(vault, key);
    return head === undefined ? {} : { head };
  });

const withoutHiding = async (read: () => Promise<StoredMailbox>): Promise<StoredMailbox> => {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof VaultDamageError)) throw error;
    return { damage: error.message };
  }
};
