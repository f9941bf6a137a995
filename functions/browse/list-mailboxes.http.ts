import type { HttpHandler } from "@azure/functions";
import * as z from "zod";
import { mapBounded } from "../../shared/bounded.ts";
import { MailboxKey } from "../../shared/contracts/ids.ts";
import { backupInstance } from "../../shared/contracts/job-ids.ts";
import type { ClientOf } from "../../shared/durable/client.ts";
import { findInstance, isAlive } from "../../shared/durable/start-once.ts";
import { pageTokens } from "../../shared/http/page-token.ts";
import { json } from "../../shared/http/problem.ts";
import { invalidPage, invalidQuery, paging, readQuery } from "../../shared/http/query.ts";
import type { Blobs } from "../../shared/storage/blobs.ts";
import { listMailboxes } from "../../shared/vault/snapshots.ts";
import { storedMailbox } from "./stored-mailbox.ts";

/** Mailboxes looked up at the same time. */
const LOOKUPS = 16;

const Query = z.strictObject(paging(1_000));

/** A page begins after this mailbox. */
const tokens = pageTokens(MailboxKey, "mailboxes");

/**
 * GET /api/mailboxes?page=&pageSize=
 *
 * 200 with a page of the mailboxes in the vault, in the order of their keys, and `next` if there are more. Each has the
 * name and address of its person as the last run knew them, its newest snapshot with its age, contents and problems,
 * and the job that backs it up now, if any. 400 for a parameter that does not parse.
 */
export const getMailboxes =
  (deps: { readonly clientOf: ClientOf; readonly vault: Blobs }): HttpHandler =>
  async (request, context) => {
    const query = Query.safeParse(readQuery(request.query));
    if (!query.success) return invalidQuery(query.error);
    const { page, pageSize } = query.data;
    const after = page === undefined ? "" : tokens.read(page);
    if (after === undefined) return invalidPage();

    const { keys, isLast } = await keysAfter(deps.vault, after, pageSize);
    const client = deps.clientOf(context);
    const mailboxes = await mapBounded(keys, LOOKUPS, async (key) => {
      const [stored, status] = await Promise.all([
        contents(deps.vault, key),
        findInstance(client, backupInstance(key)),
      ]);
      return { mailbox: key, ...stored, ...(isAlive(status) ? { job: backupInstance(key) } : {}) };
    });
    const last = keys.at(-1);
    return json(200, { mailboxes, ...(isLast || last === undefined ? {} : { next: tokens.write(last) }) });
  };

const keysAfter = async (
  vault: Blobs,
  after: string,
  max: number,
): Promise<{ keys: MailboxKey[]; isLast: boolean }> => {
  const keys: MailboxKey[] = [];
  for await (const key of listMailboxes(vault)) {
    if (key <= after) continue;
    if (keys.length === max) return { keys, isLast: false };
    keys.push(key);
  }
  return { keys, isLast: true };
};

/** What the vault has of one mailbox, and its age. */
const contents = async (vault: Blobs, key: MailboxKey) => {
  const { head, skipped, damage } = await storedMailbox(vault, key);
  if (damage !== undefined) return { damage };
  if (head === undefined) return {};
  const { user, kind, checkedAt, newest } = head;
  const { id, displayName, primaryAddress: address } = user ?? {};
  const facts = { user: id, displayName, address, kind, checked: checkedAt };
  if (newest === null) return facts;
  return {
    ...facts,
    newest,
    ageSeconds: Math.round((Date.now() - Date.parse(newest.finished)) / 1000),
    problems: { failed: newest.failed, skipped },
  };
};
