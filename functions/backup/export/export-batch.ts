import type { RunId } from "../../../shared/contracts/ids.ts";
import type { MailboxRef } from "../../../shared/contracts/mailbox.ts";
import { isBrokenAnswer } from "../../../shared/graph/broken-answer.ts";
import { type ExportedElement, exportItems } from "../../../shared/graph/export-items.ts";
import { probeMailbox } from "../../../shared/graph/folders.ts";
import type { GraphClient } from "../../../shared/graph/graph-client.ts";
import { GraphError } from "../../../shared/graph/graph-error.ts";
import type { MailboxAddress } from "../../../shared/graph/mailbox-address.ts";
import { MAX_MOVES, mailboxAt } from "../../../shared/graph/moved-mailbox.ts";
import type { Semaphore } from "../../../shared/graph/semaphore.ts";
import type { Blobs } from "../../../shared/storage/blobs.ts";
import { existing } from "../../../shared/storage/create-once.ts";
import { packName } from "../../../shared/vault/names.ts";
import { readPackIndex } from "../../../shared/vault/pack-reader.ts";
import { openPack, type PackWriter } from "../../../shared/vault/pack-writer.ts";
import type { CatalogueRecord, ItemFacts } from "../../../shared/vault/records.ts";
import type { Batch } from "./batch-queue.ts";
import { skipReason } from "./skip-reasons.ts";

/** Why an item was not exported yet, for its record if it never is. */
interface ItemError {
  readonly code: string;
  readonly requestId?: string | undefined;
}

/** Graph left the item out of its answer, which has been seen when several are asked for at once. */
const NOT_RETURNED: ItemError = { code: "not-returned" };

/** Statuses that concern the mailbox or the app, never one item. */
const MAILBOX_STATUSES: readonly number[] = [401, 403, 429];

/**
 * Exports one batch into an open pack and returns a record for each item: stored, skipped for a known permanent reason,
 * or failed. An item that the batch did not bring is asked for once more alone before it counts as failed.
 *
 * @throws {GraphError} for an error of more than an item: no permission, throttled beyond the deadline, or Graph down.
 */
export const exportBatch = async (
  graph: GraphClient,
  mailbox: MailboxAddress,
  items: readonly ItemFacts[],
  pack: Pick<PackWriter, "addItem">,
): Promise<CatalogueRecord[]> => {
  const open = new Map(items.map((item) => [item.id, item]));
  const errors = new Map<string, ItemError>();
  const records: CatalogueRecord[] = [];

  const take = async (element: ExportedElement, elsewhere: Map<string, string>): Promise<void> => {
    const unwanted = element.itemId !== undefined && !open.has(element.itemId);
    const stored = element.content && (unwanted ? await drain(element.content) : await pack.addItem(element.content));
    const { itemId, changeKey, errorCode, movedLink } = await element.outcome();
    const item = open.get(itemId);
    if (item === undefined) return;
    if (stored !== undefined && stored.rawBytes > 0 && errorCode === undefined) {
      records.push({ v: 1, op: "put", ...item, changeKey: changeKey ?? item.changeKey, ...stored });
      open.delete(itemId);
    } else if (errorCode !== undefined) {
      const reason = skipReason(errorCode);
      errors.set(itemId, { code: errorCode });
      const movedTo = movedLink && mailboxAt(graph.endpoint, movedLink);
      if (movedTo) elsewhere.set(itemId, movedTo);
      if (reason === undefined) return;
      records.push({ v: 1, op: "skip", id: itemId, folderId: item.folderId, reason, code: errorCode });
      open.delete(itemId);
    }
  };

  /** Asks a mailbox, then the mailboxes that its answer names for items in other parts of an archive. */
  const ask = async (ids: readonly string[], at = mailbox, moves = 0): Promise<boolean> => {
    const elsewhere = new Map<string, string>();
    const answered = await askOnce(ids, at, elsewhere);
    for (const id of moves < MAX_MOVES ? new Set(elsewhere.values()) : []) {
      const moved = ids.filter((itemId) => elsewhere.get(itemId) === id);
      await ask(moved, { id, kind: "archive" }, moves + 1);
    }
    return answered;
  };

  /** Whether Graph answered, even if with errors for single items. */
  const askOnce = async (
    ids: readonly string[],
    at: MailboxAddress,
    elsewhere: Map<string, string>,
  ): Promise<boolean> => {
    for (const id of ids) errors.set(id, NOT_RETURNED);
    try {
      for await (const element of exportItems(graph, at, ids)) await take(element, elsewhere);
      return true;
    } catch (error) {
      const itemError = itemErrorOf(error);
      if (itemError === undefined) throw error;
      for (const id of ids) errors.set(id, itemError);
      return false;
    }
  };

  let answered = await ask([...open.keys()]);
  for (const id of [...open.keys()]) answered = (await ask([id])) || answered;
  // Only errors: either Graph cannot export these items, or the mailbox cannot be reached, which then throws here.
  if (!answered) await probeMailbox(graph, mailbox);
  for (const item of open.values()) records.push(failed(item, errors.get(item.id) ?? NOT_RETURNED));
  return records;
};

const itemErrorOf = (error: unknown): ItemError | undefined => {
  if (isBrokenAnswer(error)) return { code: "broken-answer" };
  if (!(error instanceof GraphError) || MAILBOX_STATUSES.includes(error.status)) return undefined;
  return { code: error.code || `status-${error.status}`, requestId: error.requestId };
};

const failed = (item: ItemFacts, { code, requestId }: ItemError): CatalogueRecord => ({
  v: 1,
  op: "fail",
  ...item,
  reason: code === NOT_RETURNED.code ? "not-returned" : "unknown-error",
  code,
  ...(requestId === undefined ? {} : { requestId }),
});

const drain = async (content: AsyncIterable<Uint8Array>): Promise<undefined> => {
  for await (const _ of content);
};

/** What batches are exported with. */
export interface ExportDeps {
  readonly vault: Blobs;
  readonly graph: GraphClient;
  /** Bounds the memory of the process: each batch, of any mailbox, waits for one of these slots. */
  readonly exportSlots: Semaphore;
}

/** The run that batches belong to. */
export interface ExportRun {
  readonly mailbox: MailboxRef;
  readonly runId: RunId;
}

/** Exports a batch into its pack. Returns the records of the pack that was created first, by any delivery. */
export const exportIntoPack = async (
  { vault, graph, exportSlots }: ExportDeps,
  { mailbox, runId }: ExportRun,
  { id, items, packed }: Batch,
): Promise<CatalogueRecord[]> => {
  const name = packName(mailbox.key, runId, id.chunk, id.batch);
  if (!packed) {
    const release = await exportSlots.acquire();
    try {
      const pack = openPack(vault, name);
      const records = await exportBatch(graph, mailbox, items, pack);
      if ((await pack.close(records)) === "created") return records;
    } finally {
      release();
    }
  }
  return existing(name, await readPackIndex(vault, name));
};
