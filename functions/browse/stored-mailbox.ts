import type { MailboxKey } from "../../shared/contracts/ids.ts";
import type { Blobs } from "../../shared/storage/blobs.ts";
import { VaultDamageError } from "../../shared/vault/damage.ts";
import type { Head } from "../../shared/vault/head.ts";
import { readHead, readManifest } from "../../shared/vault/snapshots.ts";

/**
 * A mailbox's head, and the number of items that its newest snapshot left out for good; or the damage. Empty: no head.
 */
export interface StoredMailbox {
  readonly head?: Head;
  readonly skipped?: number;
  readonly damage?: string;
}

/** What the vault has of one mailbox. Damage is returned and not thrown, since it must not hide other mailboxes. */
export const storedMailbox = (vault: Blobs, key: MailboxKey): Promise<StoredMailbox> =>
  damageAsValue(async () => {
    const head = await readHead(vault, key);
    if (head === undefined) return {};
    const snapshot = head.newest && (await readManifest(vault, key, head.newest.id));
    return { head, ...(snapshot ? { skipped: snapshot.manifest.counts.skipped } : {}) };
  });

/** The same with the head alone, which costs one read. */
export const storedHead = (vault: Blobs, key: MailboxKey): Promise<StoredMailbox> =>
  damageAsValue(async () => {
    const head = await readHead(vault, key);
    return head === undefined ? {} : { head };
  });

const damageAsValue = async (read: () => Promise<StoredMailbox>): Promise<StoredMailbox> => {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof VaultDamageError)) throw error;
    return { damage: error.message };
  }
};
