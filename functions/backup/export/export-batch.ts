import type { RunId } from "../../../shared/contracts/ids.ts";
import type { MailboxRef } from "../../../shared/contracts/mailbox.ts";
import { isBrokenAnswer } from "../../../shared/graph/broken-answer.ts";
import { type ExportedElement, exportItems } from "../../../shared/graph/export-items.ts";
import { probeMailbox } from "../../../shared/graph/folders.ts";
import type { GraphClient } from "../../../shared/graph/graph-client.ts";
import { GraphError } from "../../../shared/graph/graph-error.ts";
import type { MailboxAddress } from "../../../shared/graph/mailbox-address.ts";
import { MAX_MOVES, mailboxAt } from "../../../shared/graph/moved-mailbox.ts";
import { OutOfTimeError } from "../../../shared/graph/stopped-work.ts";
import type { Blobs } from "../../../shared/storage/blobs.ts";
import { existing } from "../../../shared/storage/create-once.ts";
import { packName } from "../../../shared/vault/names.ts";
import { readPackIndex } from "../../../shared/vault/pack-reader.ts";
import { type FindStored, openPack, type PackWriter } from "../../../shared/vault/pack-writer.ts";
import type { CatalogueRecord, ItemFacts } from "../../../shared/vault/records.ts";
import { lookUp } from "../plan/look-up.ts";
import type { PlannedItem } from "../run-state.ts";
import type { Batch } from "./batch-queue.ts";
import type { ExportMemory } from "./export-memory.ts";
import { FINAL_AFTER_MS, skipReason } from "./skip-reasons.ts";

/** Why an item was not exported yet, for its record if it never is. */
interface ItemError {
  readonly code: string;
  readonly requestId?: string | undefined;
}

/** Graph left the item out of its answer, which has been seen when several are asked for at once. */
const NOT_RETURNED: ItemError = { code: "not-returned" };

/** Graph did not bring the item in the time that its batch has. */
const OUT_OF_TIME: ItemError = { code: "out-of-time" };

/**
 * Longest time that all requests of a batch take together. The largest item, 150 MB, arrives in it at 0.3 MB/s, which
 * is half of what a mailbox has been seen to send. With the longest time of a wave's lanes, it is well below the
 * `functionTimeout` of host.json.
 */
export const BATCH_MS = 12 * 60_000;

/** How long a mailbox that brought nothing may take to show that it can be reached. */
export const PROBE_MS = 30_000;

/** Statuses that concern the mailbox or the app, never one item. */
const MAILBOX_STATUSES: readonly number[] = [401, 403, 429];

/**
 * Exports one batch into an open pack and returns a record for each item: stored, skipped for a known permanent reason,
 * or failed. An item that the batch did not bring is looked up where Graph calls it gone, and else asked for once more
 * alone. All of that takes `batchMs` at most: while several items are open, a request gets half of the time that is
 * left, so that one that stalls leaves time for the others.
 *
 * @throws {GraphError} for an error of more than an item: no permission, throttled beyond the deadline, or Graph down.
 * @throws {OutOfTimeError} when Graph's own budget ended before the first request.
 */
export const exportBatch = async (
  graph: GraphClient,
  mailbox: MailboxAddress,
  items: readonly PlannedItem[],
  pack: Pick<PackWriter, "addItem">,
  batchMs = BATCH_MS,
): Promise<CatalogueRecord[]> => {
  const endsMs = Date.now() + batchMs;
  let isAsked = false;
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
      records.push({ v: 1, op: "put", ...factsOf(item), changeKey: changeKey ?? item.changeKey, ...stored });
      open.delete(itemId);
    } else if (errorCode !== undefined) {
      errors.set(itemId, { code: errorCode });
      const movedTo = movedLink && mailboxAt(graph.endpoint, movedLink);
      if (movedTo) elsewhere.set(itemId, movedTo);
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
    const now = Date.now();
    const askEndsMs = open.size > 1 ? now + (endsMs - now) / 2 : endsMs;
    try {
      for await (const element of exportItems(graph.endingAt(askEndsMs), at, ids)) await take(element, elsewhere);
      isAsked = true;
      return true;
    } catch (error) {
      if (error instanceof OutOfTimeError && !isAsked) throw error;
      isAsked = true;
      const itemError = error instanceof OutOfTimeError ? OUT_OF_TIME : itemErrorOf(error);
      if (itemError === undefined) throw error;
      for (const id of ids) errors.set(id, Date.now() < askEndsMs ? itemError : OUT_OF_TIME);
      return false;
    }
  };

  /** Whether an item is open that Graph calls gone, and that is not there by its own look-up either. */
  const isGone = async ({ id, folderId }: PlannedItem): Promise<boolean> =>
    open.has(id) &&
    skipReason(errors.get(id)?.code ?? "") === "gone" &&
    Date.now() < endsMs &&
    (await lookUp({ graph: graph.endingAt(endsMs + PROBE_MS), mailbox, folder: { id: folderId } }, id)) === "gone";

  const leave = (item: PlannedItem, gone: boolean): void => {
    records.push(leftOut(item, errors.get(item.id) ?? NOT_RETURNED, gone));
    open.delete(item.id);
  };

  let answered = await ask([...open.keys()]);
  for (const item of [...open.values()]) {
    let gone = await isGone(item);
    if (!gone) {
      answered = (await ask([item.id])) || answered;
      gone = await isGone(item);
    }
    if (gone) leave(item, true);
  }
  // Only errors: either Graph cannot export these items, or the mailbox cannot be reached, which then throws here.
  if (!answered) await probeMailbox(graph.endingAt(Date.now() + PROBE_MS), mailbox);
  for (const item of [...open.values()]) leave(item, false);
  return records;
};

const factsOf = ({ refused: _, ...facts }: PlannedItem): ItemFacts => facts;

const itemErrorOf = (error: unknown): ItemError | undefined => {
  if (isBrokenAnswer(error)) return { code: "broken-answer" };
  if (!(error instanceof GraphError) || MAILBOX_STATUSES.includes(error.status)) return undefined;
  return { code: error.code || `status-${error.status}`, requestId: error.requestId };
};

/**
 * The record of an item that was not exported. One that is gone by its own look-up is skipped, which leaves the
 * snapshot complete; until that was seen for a day, it is asked for again. Another refusal fails the item, and skips it
 * after a day of the same answer where that is a permanent one.
 */
const leftOut = (item: PlannedItem, { code, requestId }: ItemError, isGone: boolean): CatalogueRecord => {
  const known = skipReason(code);
  const isSame = item.refused !== undefined && skipReason(item.refused.code) === known;
  const since = item.refused !== undefined && isSame ? item.refused.since : new Date().toISOString();
  const isFinal = known !== undefined && Date.now() - Date.parse(since) >= FINAL_AFTER_MS;
  const facts = { ...factsOf(item), code, since, ...(requestId === undefined ? {} : { requestId }) };
  if (isGone || isFinal)
    return { v: 1, op: "skip", ...facts, reason: known ?? "gone", ...(isFinal ? {} : { again: true }) };
  const reason = known ?? (code === NOT_RETURNED.code ? "not-returned" : "unknown-error");
  return { v: 1, op: "fail", ...facts, reason };
};

const drain = async (content: AsyncIterable<Uint8Array>): Promise<undefined> => {
  for await (const _ of content);
};

/** What batches are exported with. */
export interface ExportDeps {
  readonly vault: Blobs;
  readonly graph: GraphClient;
  /** Bounds what batches of all mailboxes hold in the memory of the process. */
  readonly exportMemory: ExportMemory;
  readonly findStored?: FindStored | undefined;
}

/** The run that batches belong to. */
export interface ExportRun {
  readonly mailbox: MailboxRef;
  readonly runId: RunId;
}

/**
 * Exports a batch into its pack. Returns the records of the pack that was created first, by any delivery.
 *
 * @throws {OutOfTimeError} when it could not begin until `beginBy`, in milliseconds since the epoch.
 */
export const exportIntoPack = async (
  { vault, graph, exportMemory, findStored }: ExportDeps,
  { mailbox, runId }: ExportRun,
  { id, items, packed }: Batch,
  beginBy: number,
): Promise<CatalogueRecord[]> => {
  const name = packName(mailbox.key, runId, id.chunk, id.batch);
  if (!packed) {
    const room = await exportMemory.enter(items, beginBy);
    try {
      const pack = openPack(vault, name, { findStored });
      const addItem: typeof pack.addItem = (content) => pack.addItem(room.metered(content));
      const records = await exportBatch(graph, mailbox, items, { addItem });
      if ((await pack.close(records)) === "created") return records;
    } finally {
      room.leave();
    }
  }
  return existing(name, await readPackIndex(vault, name));
};
