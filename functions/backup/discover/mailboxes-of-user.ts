import { MailboxKey } from "../../../shared/contracts/ids.ts";
import type { Blobs } from "../../../shared/storage/blobs.ts";
import { hashName } from "../../../shared/vault/mailbox-key.ts";

/** Directory object ids are compared without regard to case. */
const prefix = (userId: string): string => `users/${hashName(userId.toLowerCase())}/`;

/**
 * Notes that a user has a mailbox in the vault, so that it is found after the directory has forgotten the user, without
 * reading every head. Idempotent.
 */
export const noteMailboxOfUser = async (state: Blobs, userId: string, key: MailboxKey): Promise<void> => {
  await state.create(`${prefix(userId)}${key}`, new Uint8Array());
};

/** The mailboxes that were noted for a user. A mailbox may belong to another user since then: its head says so. */
export const mailboxesOfUser = async (state: Blobs, userId: string): Promise<MailboxKey[]> => {
  const keys: MailboxKey[] = [];
  for await (const { name } of state.list(prefix(userId))) {
    const key = MailboxKey.safeParse(name.slice(prefix(userId).length));
    if (key.success) keys.push(key.data);
  }
  return keys;
};
