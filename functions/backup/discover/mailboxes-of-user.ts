import { MailboxKey } from "../../../shared/contracts/ids.ts";
import type { Blobs } from "../../../shared/storage/blobs.ts";
import { hashName } from "../../../shared/vault/mailbox-key.ts";

/** Directory object ids are compared without regard to case. */
const prefix = (userId: string): string => `users/${hashName(userId.toLowerCase())}/`;

/**
 * Notes that a user has a mailbox in the vault, so that it is found when the directory knows them no more, without a look
 * at every head. Noted twice, it is there once.
 */
export const noteMailboxOfUser = async (state: Blobs, userId: string, key: MailboxKey): Promise<void> => {
  await state.create(`${prefix(userId)}${key}`, new Uint8Array());
};

/** The mailboxes that were noted for a user. A mailbox may have passed to somebody else since: its head says so. */
export const mailboxesOfUser = async (state: Blobs, userId: string): Promise<MailboxKey[]> => {
  const keys: MailboxKey[] = [];
  for await (const { name } of state.list(prefix(userId))) {
    const key = MailboxKey.safeParse(name.slice(prefix(userId).length));
    if (key.success) keys.push(key.data);
  }
  return keys;
};
