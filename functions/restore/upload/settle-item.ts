import type { GraphClient } from "../../../shared/graph/graph-client.ts";
import { GraphError, isNotFound } from "../../../shared/graph/graph-error.ts";
import { type ItemImporter, SessionElsewhereError } from "../../../shared/graph/import-item.ts";
import { eachItem, findItem } from "../../../shared/graph/items.ts";
import type { MailboxAddress } from "../../../shared/graph/mailbox-address.ts";
import { MAX_MOVES } from "../../../shared/graph/moved-mailbox.ts";
import type { Blobs } from "../../../shared/storage/blobs.ts";
import { VaultDamageError } from "../../../shared/vault/damage.ts";
import { readItem } from "../../../shared/vault/pack-reader.ts";
import type { FolderMap, RestoreItem } from "../restore-state.ts";
import type { Drawn } from "./item-queue.ts";
import { LedgerLostError, type Settled } from "./ledger.ts";

/** Clocks of Exchange and of this app may differ by as much. */
const CLOCK_SKEW_MS = 5 * 60_000;

/** Statuses by which the import service says that it did not take the item, and will not. */
const REJECTED: readonly number[] = [400, 404, 409, 413, 422];

/** Times that an item is imported whose import is neither answered nor found afterwards. Our own choice. */
const MAX_TRIES = 5;

export interface ImportContext {
  readonly graph: GraphClient;
  readonly imports: ItemImporter;
  /** Importers for folders that lie in another part of an archive, as they become known. */
  readonly elsewhere: Map<string, ItemImporter>;
  readonly openElsewhere: (mailboxId: string) => Promise<ItemImporter>;
  readonly vault: Blobs;
  readonly mailbox: MailboxAddress;
  readonly folders: FolderMap;
  /** When the restore began: what it imported was created after that. */
  readonly since: string;
}

/**
 * What became of an item: settled; refused for a while, or because the session has ended, and then Exchange has taken
 * nothing; or unclear, when no answer came: it must be looked for, some time later.
 */
export type ItemEnd = Settled | { readonly refusedMs: number } | "session-ended" | "unclear";

/**
 * Imports one item, unless an earlier try was taken after all. Its intent is durable before its POST; its outcome is for
 * the caller to note.
 */
export const settleItem = async (context: ImportContext, drawn: Drawn): Promise<ItemEnd> => {
  const { item, record, tries, ledger } = drawn;
  if (tries > 0) {
    const taken = await lookFor(context, drawn);
    if (taken !== undefined) return taken;
    if (tries >= MAX_TRIES) return { op: "failed", item, code: "no-answer" };
  }
  await ledger.write({ op: "intent", item });
  const end = await importOne(context, drawn, folderOf(context, record));
  if (end === "session-ended" || (typeof end === "object" && "refusedMs" in end)) ledger.note({ op: "refused", item });
  return end;
};

const folderOf = ({ folders }: ImportContext, { folderId }: RestoreItem): string => {
  const target = folders[folderId];
  if (target === undefined) throw new Error("A restore has no folder for an item of its plan");
  return target;
};

const importOne = async (context: ImportContext, drawn: Drawn, folderId: string, moves = 0): Promise<ItemEnd> => {
  const { item, record, held } = drawn;
  const imports = context.elsewhere.get(folderId) ?? context.imports;
  const { rawBytes, replaces } = record;
  // A lane may have waited for its slot, or for Exchange, for longer than the ledger is held.
  const beforeSending = () => {
    if (!held()) throw new LedgerLostError(`The ledger of item ${item} is about to pass to another writer`);
  };
  const content = () => readItem(context.vault, record);
  try {
    const itemId = await imports.send({ folderId, rawBytes, replaces, beforeSending, content });
    return { op: replaces === undefined ? "imported" : "replaced", item, itemId };
  } catch (error) {
    if (error instanceof VaultDamageError) return { op: "failed", item, code: "vault-damaged" };
    if (error instanceof SessionElsewhereError) {
      if (moves === MAX_MOVES) return { op: "failed", item, code: "moved-too-often" };
      context.elsewhere.set(folderId, await context.openElsewhere(error.mailboxId));
      return importOne(context, drawn, folderId, moves + 1);
    }
    if (!(error instanceof GraphError)) throw error;
    if (error.status === 429) return { refusedMs: error.retryAfterMs ?? 0 };
    if (error.status === 401 || error.status === 403) return "session-ended";
    if (REJECTED.includes(error.status)) return { op: "failed", item, code: error.code || `status-${error.status}` };
    return (await lookFor(context, drawn)) ?? "unclear";
  }
};

/** What an import that was never answered came to; `undefined` when it was not taken, as far as can be seen. */
const lookFor = (context: ImportContext, drawn: Drawn): Promise<Settled | undefined> =>
  drawn.record.replaces === undefined ? lookForCopy(context, drawn) : lookForUpdate(context, drawn);

/**
 * The item is there when its folder holds a copy that no other item accounts for and that was created since the restore
 * was planned. One that was created shortly before may be ours, if clocks differ, or somebody else's: that is ambiguous.
 */
const lookForCopy = async (context: ImportContext, { item, record, settled }: Drawn): Promise<Settled | undefined> => {
  if (record.searchKey === undefined) return { op: "ambiguous", item };
  // Graph tells creation times in whole seconds.
  const since = Math.floor(Date.parse(context.since) / 1000) * 1000;
  const createdSince = new Date(since - CLOCK_SKEW_MS).toISOString();
  const accounted = new Set([...settled.values()].flatMap((entry) => ("itemId" in entry ? entry.itemId : [])));
  let doubtful = false;
  for await (const live of eachItem(context.graph, context.mailbox, folderOf(context, record), { createdSince })) {
    if (live.searchKey !== record.searchKey || accounted.has(live.id)) continue;
    if (Date.parse(live.created) >= since) return { op: "imported", item, itemId: live.id };
    doubtful = true;
  }
  return doubtful ? { op: "ambiguous", item } : undefined;
};

/** The live item was replaced when it has another version than the one that was to be replaced. */
const lookForUpdate = async (
  { graph, mailbox, folders }: ImportContext,
  { item, record: { replaces, folderId } }: Drawn,
): Promise<Settled | undefined> => {
  try {
    const live = await findItem(graph, mailbox, folders[folderId] ?? "", replaces?.id ?? "");
    return live.changeKey === replaces?.changeKey ? undefined : { op: "replaced", item, itemId: live.id };
  } catch (error) {
    if (isNotFound(error)) return { op: "failed", item, code: "gone" };
    throw error;
  }
};
