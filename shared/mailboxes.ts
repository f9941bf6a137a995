import * as z from "zod";
import { mapBounded } from "./bounded.ts";
import { MailboxKey } from "./contracts/ids.ts";
import type { MailboxRef } from "./contracts/mailbox.ts";
import { findArchiveId, findMailboxId, findUser } from "./graph/directory.ts";
import type { GraphClient } from "./graph/graph-client.ts";
import type { Blobs } from "./storage/blobs.ts";
import { VaultDamageError } from "./vault/damage.ts";
import type { Head } from "./vault/head.ts";
import { mailboxKey } from "./vault/mailbox-key.ts";
import { listMailboxes, readHead } from "./vault/snapshots.ts";

/** At most as long as a principal name (64 characters, @, 255), and without a lone surrogate, which no URL can have. */
const Name = z
  .string()
  .min(1)
  .max(320)
  .regex(/^\P{Surrogate}*$/u);

/** Heads read at the same time. */
const HEADS = 16;

/** Finds a mailbox by a name; `undefined` when there is none. */
export type FindMailbox = (name: string) => Promise<MailboxRef | undefined>;

/**
 * Finds the live mailbox of a user by id or principal name, or a mailbox in the vault by its key. Someone whom the
 * directory does not know is looked for among those whom the heads name: the first time, that reads all heads. An
 * archive is found by its key only.
 */
export const mailboxFinder = (graph: GraphClient, vault: Blobs): FindMailbox => {
  let heads: ReturnType<typeof primaryHeads> | undefined;
  return async (name) => {
    if (!Name.safeParse(name).success) return undefined;
    if (MailboxKey.safeParse(name).success) return refOf(await readHead(vault, name));
    const user = await findUser(graph, name);
    if (user === undefined) {
      heads ??= primaryHeads(vault);
      return refOf((await heads).findLast((head) => goesBy(head.user, name)));
    }
    const id = await findMailboxId(graph, user.id);
    return id ? mailboxRef(user.id, id, "primary") : undefined;
  };
};

/** Finds one mailbox, as {@link mailboxFinder} does. */
export const findMailbox = (graph: GraphClient, vault: Blobs, name: string): Promise<MailboxRef | undefined> =>
  mailboxFinder(graph, vault)(name);

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

const refOf = (head: Head | undefined): MailboxRef | undefined =>
  head && { key: head.mailboxKey, id: head.mailboxId, kind: head.kind, userId: head.user?.id ?? head.mailboxId };

/** Whether someone goes by a name: their id, principal name or address, without regard to case. */
export const goesBy = (user: Head["user"], name: string): boolean =>
  [user?.id, user?.userPrincipalName, user?.primaryAddress].some((own) => own?.toLowerCase() === name.toLowerCase());

/** The heads of primary mailboxes; last, that which was looked at last. A damaged head names nobody. */
const primaryHeads = async (vault: Blobs): Promise<Head[]> => {
  const keys: MailboxKey[] = [];
  for await (const key of listMailboxes(vault)) keys.push(key);
  const heads = await mapBounded(keys, HEADS, (key) => readHead(vault, key).catch(ignoreDamage));
  return heads
    .flatMap((head) => (head?.kind === "primary" ? [head] : []))
    .toSorted((a, b) => Date.parse(a.checkedAt) - Date.parse(b.checkedAt));
};

const ignoreDamage = (error: unknown): undefined => {
  if (!(error instanceof VaultDamageError)) throw error;
};
