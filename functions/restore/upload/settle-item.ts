import { GraphError } from "../../../shared/graph/graph-error.ts";
import { type ItemImporter, SessionElsewhereError } from "../../../shared/graph/import-item.ts";
import { MAX_MOVES } from "../../../shared/graph/moved-mailbox.ts";
import { WorkStoppedError } from "../../../shared/graph/stopped-work.ts";
import { outageOf } from "../../../shared/outage.ts";
import type { Blobs } from "../../../shared/storage/blobs.ts";
import { VaultDamageError } from "../../../shared/vault/damage.ts";
import { readItem } from "../../../shared/vault/pack-reader.ts";
import { noteMetDamage } from "../../verify/met-damage.ts";
import type { RestoreItem } from "../restore-state.ts";
import type { TakenItem } from "./item-queue.ts";
import { LedgerLostError, NO_ANSWER, type Settled, type Try } from "./ledger.ts";
import { folderOf, type LookUpContext, lookFor, nextLookMs } from "./look-up.ts";
import { hasImportedNothing, type Refusal, refusalOf, type Unanswered } from "./refusal.ts";

/** Tries to import an item, when no try is answered and no import is found afterwards. Our own choice. */
const MAX_TRIES = 5;

export interface ImportContext extends LookUpContext {
  readonly imports: ItemImporter;
  /** The session of these imports, by when it expires. */
  readonly session: string;
  /** Importers for folders in another part of an archive, by folder id. Filled as such folders become known. */
  readonly elsewhere: Map<string, ItemImporter>;
  readonly openElsewhere: (mailboxId: string) => Promise<ItemImporter>;
  readonly vault: Blobs;
  readonly work: Blobs;
  /** Milliseconds since the epoch by Exchange's own clock. */
  readonly serverNow: () => Promise<number>;
  /** Milliseconds until an import without an answer is looked for again. */
  readonly firstLookMs: number;
  /** Counts the body of an item that is sent another time. */
  readonly sentAgain: (record: RestoreItem) => void;
}

/** An import that may or may not have made an item. It is looked for again some time later. */
export type Unclear = Unanswered & {
  readonly lookInMs: number;
  readonly tries: readonly Try[];
};

/** The outcome of one try: how the item ended, or why it did not. */
export type ItemOutcome = Exclude<ImportEnd, Unanswered> | Unclear;

type ImportEnd = Settled | Exclude<Refusal, { is: "rejected" }>;

/**
 * Looks for an item whose earlier tries were not answered. Returns `undefined` when it is to be sent again: it did not
 * show for as long as an import may take to.
 */
export const lookAgain = async (context: ImportContext, taken: TakenItem): Promise<Settled | Unclear | undefined> => {
  const { item, tries } = taken;
  const found = await lookFor(context, taken);
  if (found !== undefined) return found;
  const last = Date.parse(tries.at(-1)?.at ?? context.since);
  const lookInMs = nextLookMs((await context.serverNow()) - last, context.firstLookMs);
  if (lookInMs !== undefined) return { is: "unclear", lookInMs, tries };
  const counted = tries.filter(({ away }) => away !== true);
  return counted.length >= MAX_TRIES ? { op: "failed", item, code: NO_ANSWER } : undefined;
};

/** Imports one item. The intent is durable before the POST; the caller notes the outcome. */
export const sendItem = async (context: ImportContext, taken: TakenItem): Promise<ItemOutcome> => {
  const { item, record, ledger } = taken;
  const at = new Date(await context.serverNow()).toISOString();
  await ledger.write({ op: "intent", item, at });
  const tries = [...taken.tries, { at }];
  const outcome = await importOne(context, { ...taken, tries }, folderOf(context, record));
  return isUnanswered(outcome) ? { ...outcome, lookInMs: context.firstLookMs, tries } : outcome;
};

const isUnanswered = (outcome: ImportEnd): outcome is Unanswered =>
  "is" in outcome && ["away", "unanswered", "unclear"].includes(outcome.is);

const importOne = async (context: ImportContext, taken: TakenItem, folderId: string, moves = 0): Promise<ImportEnd> => {
  const { item, record } = taken;
  const imports = context.elsewhere.get(folderId) ?? context.imports;
  const { rawBytes, replaces } = record;
  // A lane may have waited for its slot, or for Exchange, longer than the ledger's lease lasts.
  const beforeSending = async () => {
    if (!(taken.held() && (await taken.confirmHeld()) && taken.held()))
      throw new LedgerLostError(`The ledger of item ${item} is about to pass to another writer`);
  };
  const content = () => readItem(context.vault, record);
  try {
    const sentAgain = () => context.sentAgain(record);
    const sent = await imports.send({ folderId, rawBytes, replaces, beforeSending, sentAgain, content });
    const { itemId, changeKey } = sent;
    if (replaces !== undefined) return { op: "replaced", item, itemId };
    return { op: "imported", item, itemId, ...(changeKey !== undefined && { changeKey }) };
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
const refused = async (context: ImportContext, taken: TakenItem, error: unknown): Promise<ImportEnd> => {
  const { item, record, ledger, tries } = taken;
  if (error instanceof WorkStoppedError) {
    ledger.note({ op: "refused", item });
    return { is: "not-sent" };
  }
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
  if (refusal.is === "rejected") {
    // The version that it is to replace is gone; an earlier try may be what replaced it.
    const isConflict = error instanceof GraphError && error.status === 409;
    const found = isConflict && record.replaces !== undefined && tries.length > 1 && (await lookFor(context, taken));
    return found || { op: "failed", item, code: refusal.code };
  }
  if (refusal.is !== "unanswered" && refusal.is !== "unclear") return refusal;
  try {
    return (await lookFor(context, taken)) ?? refusal;
  } catch (failure) {
    if (failure instanceof WorkStoppedError) return refusal;
    const outage = outageOf(failure);
    if (outage === undefined) throw failure;
    return { is: "away", ...outage };
  }
};
