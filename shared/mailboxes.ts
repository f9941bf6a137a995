import type { MailboxRef } from "./contracts/mailbox.ts";
import { findMailboxId, findUser } from "./graph/directory.ts";
import type { GraphClient } from "./graph/graph-client.ts";
import { MailboxKey } from "./ids.ts";
import type { Blobs } from "./vault/blobs.ts";
import { mailboxKey } from "./vault/mailbox-key.ts";
import { readHead } from "./vault/snapshots.ts";

/** The live mailbox of a user by id or principal name, or of a key that the vault knows; `undefined` when there is none. */
export const findMailbox = async (graph: GraphClient, vault: Blobs, name: string): Promise<MailboxRef | undefined> =>
  MailboxKey.safeParse(name).success ? findInVault(vault, name) : findLive(graph, name);

const findInVault = async (vault: Blobs, key: MailboxKey): Promise<MailboxRef | undefined> => {
  const head = await readHead(vault, key);
  return head && { key, id: head.mailboxId, kind: head.kind, userId: head.user?.id ?? head.mailboxId };
};

const findLive = async (graph: GraphClient, name: string): Promise<MailboxRef | undefined> => {
  const user = await findUser(graph, name);
  const id = user && (await findMailboxId(graph, user.id));
  return user && id ? { key: mailboxKey(id), id, kind: "primary", userId: user.id } : undefined;
};
