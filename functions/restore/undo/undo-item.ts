import { isSameVersion } from "../../../shared/graph/change-key.ts";
import type { GraphClient } from "../../../shared/graph/graph-client.ts";
import { GraphError, isNotFound } from "../../../shared/graph/graph-error.ts";
import { eachItem, findItem, type LiveItem, softDeleteItem } from "../../../shared/graph/items.ts";
import type { MailboxAddress } from "../../../shared/graph/mailbox-address.ts";
import { outageOf } from "../../../shared/outage.ts";
import { LedgerLostError } from "../upload/ledger.ts";
import type { BroughtItem } from "./imported-items.ts";
import type { UndoEntry, UndoneItem } from "./undo-ledger.ts";

/** What undoing one item needs. */
export interface UndoContext {
  readonly graph: GraphClient;
  readonly mailbox: MailboxAddress;
  /** Whether unchanged items are deleted, and not just found. */
  readonly deletes: boolean;
  readonly ledger: { write(entry: UndoEntry): Promise<void> };
  /** Whether this process may still write to the chunk's ledger. */
  confirmHeld(): Promise<boolean>;
  /** Resolves when the mailbox answers: of one that does not, no item is gone. */
  mailboxAnswers(): Promise<void>;
  /** Resolves when a request may be sent; false when that is after the wave's end. */
  maySend(): Promise<boolean>;
}

/** The items of a chunk that a wave has to look at. Of the others the restore's ledger says all. */
export const hasToBeExamined = ({ brought }: BroughtItem): boolean =>
  brought.is === "imported" || brought.is === "unanswered";

/**
 * Looks at an item that a restore brought and, if nobody changed it since, soft-deletes it. The intent is durable
 * before that; the caller notes the outcome. `undefined`: there is no time left.
 *
 * What changes in the moment between the look and the deletion is deleted, too: it can be recovered.
 */
export const undoItem = async (context: UndoContext, brought: BroughtItem): Promise<UndoneItem | undefined> => {
  try {
    return await undoOne(context, brought);
  } catch (error) {
    if (!(error instanceof GraphError) || outageOf(error) !== undefined || error.status === 401) throw error;
    return { op: "refused", item: brought.item, code: error.code || `status-${error.status}` };
  }
};

const undoOne = async (
  context: UndoContext,
  { item, folderId, record, brought }: BroughtItem,
): Promise<UndoneItem | undefined> => {
  const { graph, mailbox, deletes, ledger } = context;
  // For the look, and for the deletion that may follow.
  if (!(await context.maySend()) || (deletes && !(await context.maySend()))) return undefined;
  if (brought.is === "unanswered") {
    const lookAt = await copiesOf(context, folderId, record.searchKey, brought.since);
    return lookAt.length === 0 ? { op: "none", item } : { op: "ambiguous", item, code: "no-answer", lookAt };
  }
  if (brought.is !== "imported") throw new Error(`There is nothing to look at of an item that is ${brought.is}`);
  const { itemId, changeKey } = brought;
  const live = await find(graph, mailbox, folderId, itemId);
  if (live === undefined) {
    await context.mailboxAnswers();
    return { op: "gone", item };
  }
  if (changeKey === undefined || live.changeKey === "") return { op: "changed", item, code: "version-unknown" };
  if (!isSameVersion(live.changeKey, changeKey)) return { op: "changed", item };
  if (!deletes) return { op: "unchanged", item };
  await ledger.write({ op: "intent", item });
  if (!(await context.confirmHeld())) throw new LedgerLostError(`The ledger of item ${item} is another writer's`);
  return (await softDeleteItem(graph, mailbox, folderId, itemId)) ? { op: "deleted", item } : { op: "gone", item };
};

const find = async (...where: Parameters<typeof findItem>): Promise<LiveItem | undefined> => {
  try {
    return await findItem(...where);
  } catch (error) {
    if (!isNotFound(error)) throw error;
    return undefined;
  }
};

/** The clocks of two of Exchange's servers may differ, and times are cut to a second. Our own choice. */
const DOUBT_MS = 10_000;

/** Copies of an item that came since its import was sent: the import may have made one of them. */
const copiesOf = async (
  { graph, mailbox }: UndoContext,
  folderId: string,
  searchKey: string | undefined,
  since: string,
): Promise<string[]> => {
  const createdSince = new Date(Date.parse(since) - DOUBT_MS).toISOString();
  const found: string[] = [];
  try {
    for await (const live of eachItem(graph, mailbox, folderId, { createdSince }))
      if (searchKey === undefined || live.searchKey === searchKey) found.push(live.id);
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
  return found;
};
