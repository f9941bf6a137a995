import * as z from "zod";
import { MailboxKey } from "./contracts/ids.ts";
import type { MailboxRef } from "./contracts/mailbox.ts";
import { findArchiveId, findMailboxId, findUser } from "./graph/directory.ts";
import type { GraphClient } from "./graph/graph-client.ts";
import type { Blobs } from "./storage/blobs.ts";
import { mailboxKey } from "./vault/mailbox-key.ts";
import { readHead } from "./vault/snapshots.ts";

/** At most as long as a principal name (64 characters, @, 255), and without a lone surrogate, which no URL can have. */
const Name = z
  .string()
  .min(1)
  .max(320)
  .regex(/^\P{Surrogate}*$/u);

/**
 * The live mailbox of a user by id or principal name, or a mailbox in the vault by its key; `undefined` when there is
 * none. An archive is found by its key only.
 */
export const findMailbox = async (graph: GraphClient, vault: Blobs, name: string): Promise<MailboxRef | undefined> => {
  if (!Name.safeParse(name).success) return undefined;
  return MailboxKey.safeParse(name).success ? findInVault(vault, name) : findLive(graph, name);
};

/** The mailboxes of a user: the primary one and, with `archives`, the archive; empty when there is none. */
export const mailboxesOf = async (
  graph: GraphClient,
  userId: string,
  { archives }: { readonly archives: boolean },
): Promise<MailboxRef[]> => {
  const primary = await findMailboxOf(graph, userId, "primary");
  const archive = archives ? await findMailboxOf(graph, userId, "archive") : undefined;
  return [primary, archive].filter((mailbox) => mailbox !== undefined);
};

/** The mailbox of a user of one kind; `undefined` when there is none. */
export const findMailboxOf = async (
  graph: GraphClient,
  userId: string,
  kind: MailboxRef["kind"],
): Promise<MailboxRef | undefined> => {
  const id = await (kind === "primary" ? findMailboxId(graph, userId) : findArchiveId(graph, userId));
  return id === undefined ? undefined : mailboxRef(userId, id, kind);
};

const mailboxRef = (userId: string, id: string, kind: MailboxRef["kind"]): MailboxRef => ({
  key: mailboxKey(id),
  id,
  kind,
  userId,
});

const findInVault = async (vault: Blobs, key: MailboxKey): Promise<MailboxRef | undefined> => {
  const head = await readHead(vault, key);
  return head && { key, id: head.mailboxId, kind: head.kind, userId: head.user?.id ?? head.mailboxId };
};

const findLive = async (graph: GraphClient, name: string): Promise<MailboxRef | undefined> => {
  const user = await findUser(graph, name);
  const id = user && (await findMailboxId(graph, user.id));
  return user && id ? mailboxRef(user.id, id, "primary") : undefined;
};
