import { MailboxKey } from "../../shared/contracts/ids.ts";
import type { OpenGraph } from "../../shared/graph/graph-client.ts";
import { findMailbox } from "../../shared/mailboxes.ts";
import type { Blobs } from "../../shared/storage/blobs.ts";

/** How long a caller is kept waiting for the directory. */
const PATIENCE_MS = 10_000;

/**
 * The key of a mailbox of which the vault holds anything, by key, user id or principal name; else `undefined`. It reads no
 * blob, so that it finds a mailbox whose head is lost or damaged.
 */
export const findStoredMailbox = async (
  { openGraph, vault }: { readonly openGraph: OpenGraph; readonly vault: Blobs },
  name: string,
): Promise<MailboxKey | undefined> => {
  const key = MailboxKey.safeParse(name).success
    ? name
    : (await findMailbox(openGraph({ untilMs: Date.now() + PATIENCE_MS }), vault, name))?.key;
  if (key === undefined) return undefined;
  for await (const _ of vault.list(`${key}/`)) return key;
  return undefined;
};
