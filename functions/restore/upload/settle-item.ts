import type { GraphClient } from "../../../shared/graph/graph-client.ts";
import { isNotFound } from "../../../shared/graph/graph-error.ts";
import { type ItemImporter, SessionElsewhereError } from "../../../shared/graph/import-item.ts";
import { eachItem, findItem } from "../../../shared/graph/items.ts";
import type { MailboxAddress } from "../../../shared/graph/mailbox-address.ts";
import { MAX_MOVES } from "../../../shared/graph/moved-mailbox.ts";
import { outageOf } from "../../../shared/outage.ts";
import type { Blobs } from "../../../shared/storage/blobs.ts";
import { VaultDamageError } from "../../../shared/vault/damage.ts";
import { readItem } from "../../../shared/vault/pack-reader.ts";
import { noteMetDamage } from "../../verify/met-damage.ts";
import type { FolderMap, RestoreItem } from "../restore-state.ts";
import type { TakenItem } from "./item-queue.ts";
import { LedgerLostError, type Settled } from "./ledger.ts";
import { hasImportedNothing, type Refusal, refusalOf } from "./refusal.ts";

/** The most that the clocks of Exchange and of this app may differ. */
const CLOCK_SKEW_MS = 5 * 60_000;

/** Tries to import an item, when no try is answered and no import is found afterwards. Our own choice. */
const MAX_TRIES = 5;

export interface ImportContext {
  readonly graph: GraphClient;
  readonly imports: ItemImporter;
  /** The session of these imports, by when it expires. */
  readonly session: string;
  /** Importers for folders in another part of an archive, by folder id. Filled as such folders become known. */
  readonly elsewhere: Map<string, ItemImporter>;
  readonly openElsewhere: (mailboxId: string) => Promise<ItemImporter>;
  readonly vault: Blobs;
  readonly work: Blobs;
  readonly mailbox: MailboxAddress;
  readonly folders: FolderMap;
  /** When the restore began. Items that it imported were created later. */
  readonly since: string;
}

/** The outcome of one try: how the item ended, or why it did not. */
export type ItemOutcome = Settled | Refusal;

/**
 * Imports one item, unless an earlier try turns out to have succeeded. The intent is durable before the POST; the
 * caller notes the outcome.
 */
export const settleItem = async (context: ImportContext, taken: TakenItem): Promise<ItemOutcome> => {
  const { item, record, tries, ledger } = taken;
  if (tries > 0) {
    const found = await lookFor(context, taken);
    if (found !== undefined) return found;
    if (tries >= MAX_TRIES) return { op: "failed", item, code: "no-answer" };
  }
  await ledger.write({ op: "intent", item });
  return importOne(context, taken, folderOf(context, record));
};

const folderOf = ({ folders }: ImportContext, { folderId }: RestoreItem): string => {
  const target = folders[folderId];
  if (target === undefined) throw new Error("A restore has no folder for an item of its plan");
  return target;
};

const importOne = async (
  context: ImportContext,
  taken: TakenItem,
  folderId: string,
  moves = 0,
): Promise<ItemOutcome> => {
  const { item, record, held } = taken;
  const imports = context.elsewhere.get(folderId) ?? context.imports;
  const { rawBytes, replaces } = record;
  // A lane may have waited for its slot, or for Exchange, longer than the ledger's lease lasts.
  const beforeSending = () => {
    if (!held()) throw new LedgerLostError(`The ledger of item ${item} is about to pass to another writer`);
  };
  const content = () => readItem(context.vault, record);
  try {
    const itemId = await imports.send({ folderId, rawBytes, replaces, beforeSending, content });
    return { op: replaces === undefined ? "imported" : "replaced", item, itemId };
  } catch (error) {
    if (error instanceof VaultDamageError) {
      await noteMetDamage(context.work, error);
      return { op: "failed", item, code: "vault-damaged" };
    }
    if (error instanceof SessionElsewhereError) {
      if (moves === MAX_MOVES) return { op: "failed", item, code: "moved-too-often" };
      context.elsewhere.set(folderId, await context.openElsewhere(error.mailboxId));
      return importOne(context, taken, folderId, moves + 1);
    }
    return refused(context, taken, error);
  }
};

/** What a failed import comes to. @throws the error when it is neither a refusal nor an outage. */
const refused = async (context: ImportContext, taken: TakenItem, error: unknown): Promise<ItemOutcome> => {
  const { item, ledger } = taken;
  const refusal = refusalOf(error);
  if (refusal === undefined) {
    const outage = outageOf(error);
    if (outage === undefined) throw error;
    // The vault is away. The body stayed incomplete, so nothing was imported.
    ledger.note({ op: "refused", item });
    return { is: "throttled", ...outage };
  }
  if (hasImportedNothing(error, refusal))
    ledger.note({ op: "refused", item, ...(refusal.is === "forbidden" && { session: context.session }) });
  if (refusal.is === "rejected") return { op: "failed", item, code: refusal.code };
  if (refusal.is !== "unanswered" && refusal.is !== "unclear") return refusal;
  try {
    return (await lookFor(context, taken)) ?? refusal;
  } catch (failure) {
    const outage = outageOf(failure);
    if (outage === undefined) throw failure;
    return { is: "away", ...outage };
  }
};

/** The outcome of an import that was not answered; `undefined` when no trace of it is found. */
const lookFor = (context: ImportContext, taken: TakenItem): Promise<Settled | undefined> =>
  taken.record.replaces === undefined ? lookForCopy(context, taken) : lookForUpdate(context, taken);

/**
 * The item was imported when its folder holds a copy that was created since the restore was planned, and that no other
 * item accounts for. A copy from shortly before is ambiguous: it may be older, or ours when clocks differ.
 */
const lookForCopy = async (
  context: ImportContext,
  { item, record, settled }: TakenItem,
): Promise<Settled | undefined> => {
  if (record.searchKey === undefined) return { op: "ambiguous", item };
  // Graph returns creation times in whole seconds.
  const since = Math.floor(Date.parse(context.since) / 1000) * 1000;
  const createdSince = new Date(since - CLOCK_SKEW_MS).toISOString();
  const accounted = new Set([...settled.values()].flatMap((entry) => ("itemId" in entry ? entry.itemId : [])));
  let doubtful = false;
  try {
    for await (const live of eachItem(context.graph, context.mailbox, folderOf(context, record), { createdSince })) {
      if (live.searchKey !== record.searchKey || accounted.has(live.id)) continue;
      if (Date.parse(live.created ?? "") >= since) return { op: "imported", item, itemId: live.id };
      doubtful = true;
    }
  } catch (error) {
    // Somebody deleted the folder, and with it whatever the import made.
    if (isNotFound(error)) return { op: "failed", item, code: "folder-gone" };
    throw error;
  }
  return doubtful ? { op: "ambiguous", item } : undefined;
};

/** The live item was replaced when its version is not the planned one any more. */
const lookForUpdate = async (
  { graph, mailbox, folders }: ImportContext,
  { item, record: { replaces, folderId } }: TakenItem,
): Promise<Settled | undefined> => {
  try {
    const live = await findItem(graph, mailbox, folders[folderId] ?? "", replaces?.id ?? "");
    return live.changeKey === replaces?.changeKey ? undefined : { op: "replaced", item, itemId: live.id };
  } catch (error) {
    if (isNotFound(error)) return { op: "failed", item, code: "gone" };
    throw error;
  }
};
