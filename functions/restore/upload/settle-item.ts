import { GraphError } from "../../../shared/graph/graph-error.ts";
import { type ItemImporter, SessionElsewhereError } from "../../../shared/graph/import-item.ts";
import { MAX_MOVES } from "../../../shared/graph/moved-mailbox.ts";
import type { Blobs } from "../../../shared/storage/blobs.ts";
import { VaultDamageError } from "../../../shared/vault/damage.ts";
import { readItem } from "../../../shared/vault/pack-reader.ts";
import { noteMetDamage } from "../../verify/met-damage.ts";
import type { TakenItem } from "./item-queue.ts";
import { LedgerLostError, NO_ANSWER, type Settled } from "./ledger.ts";
import { folderOf, type LookUpContext, lookFor, nextLookMs } from "./look-up.ts";

/** Statuses with which the import service refuses an item for good. */
const REJECTED: readonly number[] = [400, 404, 409, 413, 422];

/** Tries to import an item, when no try is answered and no import is found afterwards. Our own choice. */
const MAX_TRIES = 5;

export interface ImportContext extends LookUpContext {
  readonly imports: ItemImporter;
  /** Importers for folders in another part of an archive, by folder id. Filled as such folders become known. */
  readonly elsewhere: Map<string, ItemImporter>;
  readonly openElsewhere: (mailboxId: string) => Promise<ItemImporter>;
  readonly vault: Blobs;
  readonly work: Blobs;
  /** Milliseconds since the epoch by Exchange's own clock. */
  readonly serverNow: () => Promise<number>;
  /** Milliseconds until an import without an answer is looked for again. */
  readonly firstLookMs: number;
}

/** An import that no answer came to. It is looked for again some time later. */
export interface Unclear {
  readonly lookInMs: number;
  /** When it was sent, as {@link TakenItem} has it. */
  readonly tries: TakenItem["tries"];
}

/**
 * The outcome of one try. `refusedMs` and `session-ended`: Exchange imported nothing, and will not for a while, or not
 * in this session.
 */
export type ItemOutcome = Settled | { readonly refusedMs: number } | "session-ended" | Unclear;

/**
 * Looks for an item whose earlier tries were not answered. Returns `undefined` when it is to be sent again: it did not
 * show for as long as an import may take to.
 */
export const lookAgain = async (context: ImportContext, taken: TakenItem): Promise<Settled | Unclear | undefined> => {
  const { item, tries } = taken;
  const found = await lookFor(context, taken);
  if (found !== undefined) return found;
  const last = Date.parse(tries.at(-1) ?? context.since);
  const lookInMs = nextLookMs((await context.serverNow()) - last, context.firstLookMs);
  if (lookInMs !== undefined) return { lookInMs, tries };
  return tries.length >= MAX_TRIES ? { op: "failed", item, code: NO_ANSWER } : undefined;
};

/** Imports one item. The intent is durable before the POST; the caller notes the outcome. */
export const sendItem = async (context: ImportContext, taken: TakenItem): Promise<ItemOutcome> => {
  const { item, record, ledger } = taken;
  const at = new Date(await context.serverNow()).toISOString();
  await ledger.write({ op: "intent", item, at });
  const tries = [...taken.tries, at];
  const outcome = await importOne(context, { ...taken, tries }, folderOf(context, record));
  if (outcome === "session-ended" || (typeof outcome === "object" && "refusedMs" in outcome))
    ledger.note({ op: "refused", item });
  return outcome ?? { lookInMs: context.firstLookMs, tries };
};

/** Returns `undefined` when there is no answer, and no trace of the item yet. */
const importOne = async (
  context: ImportContext,
  taken: TakenItem,
  folderId: string,
  moves = 0,
): Promise<Exclude<ItemOutcome, Unclear> | undefined> => {
  const { item, record, tries } = taken;
  const imports = context.elsewhere.get(folderId) ?? context.imports;
  const { rawBytes, replaces } = record;
  // A lane may have waited for its slot, or for Exchange, longer than the ledger's lease lasts.
  const beforeSending = async () => {
    if (!(taken.held() && (await taken.confirmHeld()) && taken.held()))
      throw new LedgerLostError(`The ledger of item ${item} is about to pass to another writer`);
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
    if (!(error instanceof GraphError)) throw error;
    if (error.status === 429) return { refusedMs: error.retryAfterMs ?? 0 };
    if (error.status === 401 || error.status === 403) return "session-ended";
    // The version that it is to replace is gone; an earlier try may be what replaced it.
    if (error.status === 409 && replaces !== undefined && tries.length > 1)
      return (await lookFor(context, taken)) ?? { op: "failed", item, code: error.code || "status-409" };
    if (REJECTED.includes(error.status)) return { op: "failed", item, code: error.code || `status-${error.status}` };
    return lookFor(context, taken);
  }
};
