import type { GraphClient } from "../../shared/graph/graph-client.ts";
import { GraphError } from "../../shared/graph/graph-error.ts";
import { type ItemImporter, SessionElsewhereError } from "../../shared/graph/import-item.ts";
import { eachItem } from "../../shared/graph/items.ts";
import type { MailboxAddress } from "../../shared/graph/mailbox-address.ts";
import { MOST_MOVES } from "../../shared/graph/moved-mailbox.ts";
import type { RunId } from "../../shared/ids.ts";
import type { Blobs } from "../../shared/vault/blobs.ts";
import { VaultDamageError } from "../../shared/vault/damage.ts";
import { readItem } from "../../shared/vault/pack-reader.ts";
import type { PutRecord } from "../../shared/vault/records.ts";
import {
  intendedItems,
  type Ledger,
  type LedgerEntry,
  LedgerLostError,
  type Ledgers,
  type Settled,
  settledItems,
} from "../../shared/work/ledger.ts";
import { type FolderMap, ledgersPrefix } from "../../shared/work/restore-state.ts";

/** What makes a lane stop. A wait is one that Graph asked for and that is longer than the lane's patience. */
export type LaneEnd = "done" | "time-is-up" | "session-ended" | { readonly waitMs: number };

/** Clocks of Exchange and of this app may differ by as much. */
const CLOCK_SKEW_MS = 5 * 60_000;

/** Statuses by which the import service says that it did not take the item, and will not. */
const REJECTED: readonly number[] = [400, 404, 409, 413, 422];

export interface ImportContext {
  readonly graph: GraphClient;
  readonly imports: ItemImporter;
  /** Importers for folders that lie in another part of an archive, as they become known. */
  readonly elsewhere: Map<string, ItemImporter>;
  readonly openElsewhere: (mailboxId: string) => Promise<ItemImporter>;
  readonly vault: Blobs;
  readonly ledgers: Ledgers;
  readonly restoreId: RunId;
  readonly mailbox: MailboxAddress;
  readonly folders: FolderMap;
  /** When the restore began: what it imported was created after that. */
  readonly since: string;
}

/**
 * Imports the items of one chunk that its ledger does not settle yet. Each item's intent is written before its POST, and
 * its outcome after it, together with the next intent. One item is imported even when time is up, so that no lane is in vain.
 */
export const importChunk = async (
  context: ImportContext,
  items: readonly PutRecord[],
  ledger: Ledger,
  deadline: number,
): Promise<{ end: LaneEnd; settled: ReadonlyMap<number, Settled> }> => {
  const settled = settledItems(ledger.entries);
  const intended = intendedItems(ledger.entries);
  let unwritten: LedgerEntry[] = [];
  const settle = (entry: Settled): void => {
    settled.set(entry.item, entry);
    unwritten.push(entry);
  };

  let end: LaneEnd = "done";
  let begun = 0;
  for (const [item, record] of items.entries()) {
    if (settled.has(item)) continue;
    if (begun > 0 && Date.now() >= deadline) {
      end = "time-is-up";
      break;
    }
    begun += 1;
    const folderId = context.folders[record.folderId];
    if (folderId === undefined)
      throw new Error(`Restore ${context.restoreId} has no folder for item ${item} of a chunk`);
    if (!intended.has(item)) await ledger.append([...unwritten, { op: "intent", item }]);
    else if (unwritten.length > 0) await ledger.append(unwritten);
    unwritten = [];

    const known = intended.has(item) ? await lookFor(context, record, folderId, item) : undefined;
    const outcome = known ?? (await importOne(context, ledger, record, folderId, item));
    if (outcome === "session-ended" || "waitMs" in outcome) {
      // An earlier try of unknown outcome may still have been taken: its intent stands.
      if (!intended.has(item)) unwritten.push({ op: "refused", item });
      end = outcome;
      break;
    }
    settle(outcome);
  }
  if (unwritten.length > 0) await ledger.append(unwritten);
  return { end, settled };
};

const importOne = async (
  context: ImportContext,
  ledger: Ledger,
  record: PutRecord,
  folderId: string,
  item: number,
  moves = 0,
): Promise<Settled | "session-ended" | { waitMs: number }> => {
  if (!ledger.held()) throw new LedgerLostError(`The ledger of item ${item} is about to pass to another writer`);
  try {
    const content = () => readItem(context.vault, record);
    const imports = context.elsewhere.get(folderId) ?? context.imports;
    const itemId = await imports.create({ folderId, rawBytes: record.rawBytes, content });
    return { op: "imported", item, itemId };
  } catch (error) {
    if (error instanceof VaultDamageError) return { op: "failed", item, code: "vault-damaged" };
    if (error instanceof SessionElsewhereError) {
      if (moves === MOST_MOVES) return { op: "failed", item, code: "moved-too-often" };
      context.elsewhere.set(folderId, await context.openElsewhere(error.mailboxId));
      return importOne(context, ledger, record, folderId, item, moves + 1);
    }
    if (!(error instanceof GraphError)) throw error;
    if (error.status === 429) return { waitMs: error.retryAfterMs ?? 0 };
    if (error.status === 401 || error.status === 403) return "session-ended";
    if (REJECTED.includes(error.status)) return { op: "failed", item, code: error.code || `status-${error.status}` };
    const found = await lookFor(context, record, folderId, item);
    if (found === undefined) throw error;
    return found;
  }
};

/**
 * What became of an import whose answer was never seen: the item, when the folder holds a copy that no ledger of this
 * restore accounts for; `undefined` when it does not, and the import may be made again.
 */
const lookFor = async (
  context: ImportContext,
  record: PutRecord,
  folderId: string,
  item: number,
): Promise<Settled | undefined> => {
  if (record.searchKey === undefined) return { op: "ambiguous", item };
  const createdSince = new Date(Date.parse(context.since) - CLOCK_SKEW_MS).toISOString();
  const copies: string[] = [];
  for await (const live of eachItem(context.graph, context.mailbox, folderId, { createdSince }))
    if (live.searchKey === record.searchKey) copies.push(live.id);
  if (copies.length === 0) return undefined;
  const accounted = await importedIds(context);
  const itemId = copies.find((id) => !accounted.has(id));
  return itemId === undefined ? undefined : { op: "imported", item, itemId };
};

const importedIds = async ({ ledgers, restoreId }: ImportContext): Promise<Set<string>> => {
  const ids = new Set<string>();
  for await (const { entries } of ledgers.readAll(ledgersPrefix(restoreId)))
    for (const entry of entries) if (entry.op === "imported") ids.add(entry.itemId);
  return ids;
};
