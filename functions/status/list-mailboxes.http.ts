import type { HttpHandler } from "@azure/functions";
import { mapBounded } from "../../shared/bounded.ts";
import type { ClientOf } from "../../shared/durable/client.ts";
import { findInstance, isAlive } from "../../shared/durable/start-once.ts";
import { json } from "../../shared/http/problem.ts";
import { backupInstance, type MailboxKey } from "../../shared/ids.ts";
import type { Blobs } from "../../shared/vault/blobs.ts";
import { listMailboxes, readHead } from "../../shared/vault/snapshots.ts";

/** Heads read at the same time. */
const READERS = 8;

/**
 * GET /api/mailboxes
 *
 * 200 with every mailbox in the vault: its newest snapshot, how old that is, what it holds, and the job that is backing
 * it up now, if any.
 */
export const getMailboxes =
  (deps: { readonly clientOf: ClientOf; readonly vault: Blobs }): HttpHandler =>
  async (_request, context) => {
    const client = deps.clientOf(context);
    const keys: MailboxKey[] = [];
    for await (const key of listMailboxes(deps.vault)) keys.push(key);

    const mailboxes = await mapBounded(keys, READERS, async (key) => {
      const [head, status] = await Promise.all([readHead(deps.vault, key), findInstance(client, backupInstance(key))]);
      const { newest } = head ?? {};
      return {
        mailbox: key,
        user: head?.user?.id,
        kind: head?.kind,
        checked: head?.checkedAt,
        ...(newest ? { newest, ageSeconds: Math.round((Date.now() - Date.parse(newest.finished)) / 1000) } : {}),
        ...(isAlive(status) ? { job: backupInstance(key) } : {}),
      };
    });
    return json(200, { mailboxes });
  };
