import type { ActivityHandler } from "durable-functions";
import { runStart } from "../../../shared/contracts/ids.ts";
import type { ClientOf } from "../../../shared/durable/client.ts";
import { implementThroughOutages } from "../../../shared/durable/through-outages.ts";
import type { Blobs } from "../../../shared/storage/blobs.ts";
import { type ItemSet, itemSet } from "../../../shared/vault/item-set.ts";
import { passTarget } from "../target/pass-target.ts";
import type { Ledgers } from "../upload/ledger.ts";
import { type BroughtItem, readBrought } from "./imported-items.ts";
import { DELETE_ITEMS } from "./needed-right.ts";
import { reportUndo, type Undo, type UndoResult } from "./undo.contract.ts";
import { type UndoLedgers, type UndoneItem, undoneItems } from "./undo-ledger.ts";
import { keepUndoReport, type UndoItemReport } from "./undo-report.ts";
import { type FolderVerdict, findVerdict, surveyPages, undoLedgerName } from "./undo-state.ts";

/** Most items that a report lists, so that it fits into memory. Our own choice. */
const MAX_LISTED = 10_000;

interface Deps {
  readonly clientOf: ClientOf;
  readonly work: Blobs;
  readonly ledgers: Ledgers;
  readonly undoLedgers: UndoLedgers;
  readonly mayDeleteItems: boolean;
}

/** Exchange's code where an app lacks a right. Seen at neighbouring endpoints. */
const ACCESS_DENIED = "ErrorAccessDenied";

const COUNTS = {
  deleted: "deleted",
  changed: "changed",
  "already-gone": "alreadyGone",
  replaced: "replaced",
  ambiguous: "ambiguous",
  "not-permitted": "notPermitted",
  refused: "refused",
  "not-examined": "notExamined",
} as const satisfies Readonly<Record<UndoItemReport["outcome"], Exclude<keyof UndoResult, "folder" | "stopped">>>;

/**
 * Writes the report of an undo from what it noted, and leaves the mailbox to the next job. It asks Graph nothing. Run
 * twice, the first report stands.
 */
export const reportUndoActivity = (deps: Deps): ActivityHandler =>
  implementThroughOutages(reportUndo, async (undo, context) => {
    const { work } = deps;
    const { undoId, restoreId, mailbox, dryRun, isCancelled = false } = undo;
    const verdict = await findVerdict(work, undoId);
    const counts: UndoResult = {
      ...{ deleted: 0, changed: 0, alreadyGone: 0, replaced: 0, ambiguous: 0, notPermitted: 0, refused: 0 },
      ...(verdict !== undefined && { folder: verdict.outcome }),
      ...(isCancelled && { notExamined: 0, stopped: { reason: "cancelled" } }),
    };
    const items: UndoItemReport[] = [];
    let unlisted = 0;
    let isDenied = false;
    for await (const item of outcomes(deps, undo, verdict)) {
      const count = COUNTS[item.outcome];
      counts[count] = (counts[count] ?? 0) + 1;
      isDenied ||= item.outcome === "not-permitted" || item.code === ACCESS_DENIED;
      if (items.length < MAX_LISTED) items.push(item);
      else unlisted += 1;
    }
    const { survey: _, ...folder } = verdict ?? { survey: 0 };
    await keepUndoReport(work, {
      v: 1,
      undoId,
      restoreId,
      mailbox: mailbox.key,
      dryRun,
      started: runStart(undoId).toISOString(),
      finished: new Date().toISOString(),
      counts,
      ...(verdict !== undefined && { folder: folder as Omit<FolderVerdict, "survey"> }),
      ...(isDenied && { needs: { ...DELETE_ITEMS } }),
      items,
      unlisted,
    });
    const client = deps.clientOf(context);
    if (!dryRun) await passTarget({ work, client, mailboxKey: mailbox.key, restoreId: undoId });
    return counts;
  });

async function* outcomes(
  { work, ledgers, undoLedgers, mayDeleteItems }: Omit<Deps, "clientOf">,
  { undoId, restoreId, dryRun, isCancelled = false }: Undo & { readonly isCancelled?: boolean | undefined },
  verdict: FolderVerdict | undefined,
): AsyncGenerator<UndoItemReport> {
  const brought = await readBrought({ work, ledgers }, restoreId);
  const inFolder = verdict && (await itemsInFolder(work, undoId, verdict));
  const left = dryRun && mayDeleteItems ? "deleted" : "not-permitted";
  for (let chunk = 0; chunk < brought.chunks; chunk += 1) {
    const items = await brought.inChunk(chunk);
    const ends = inFolder === undefined ? await endsOf(undoLedgers, undoLedgerName(undoId, chunk)) : new Map();
    for (const item of items) {
      const end = inFolder === undefined ? ends.get(item.item) : endByFolder(item, inFolder);
      const isOpen = end === undefined && isCancelled && item.brought.is === "imported";
      const found = isOpen ? ({ outcome: "not-examined" } as const) : outcomeOf(item, end, left);
      if (found === undefined) continue;
      const { folderId, id } = item.record;
      yield { folderId, id, ...("itemId" in item.brought && { itemId: item.brought.itemId }), ...found };
    }
  }
}

/** What was in a folder that went as a whole; `undefined` where its items went one by one, or stayed. */
const itemsInFolder = async (
  work: Blobs,
  undoId: Undo["undoId"],
  { outcome, survey }: FolderVerdict,
): Promise<ItemSet | undefined> => {
  if (outcome === "kept" || outcome === "refused") return undefined;
  const there = itemSet();
  if (outcome === "already-gone") return there;
  for await (const { items } of surveyPages(work, undoId, survey))
    for (const [id] of items) there.add({ folderId: "", id });
  return there;
};

const endByFolder = ({ item, brought }: BroughtItem, there: ItemSet): UndoneItem => {
  if (brought.is !== "imported") return { op: "none", item };
  return { op: there.has({ folderId: "", id: brought.itemId }) ? "deleted" : "gone", item };
};

const endsOf = async (ledgers: UndoLedgers, name: string): Promise<Map<number, UndoneItem>> => {
  return undoneItems(await ledgers.read(name));
};

type Outcome = Pick<UndoItemReport, "outcome" | "code" | "lookAt">;

/** `left`: what is said of unchanged items that were not deleted. `undefined`: there was nothing to undo. */
const outcomeOf = (
  { item, brought }: BroughtItem,
  end: UndoneItem | undefined,
  left: Outcome["outcome"],
): Outcome | undefined => {
  if (brought.is === "replaced") return { outcome: "replaced" };
  if (brought.is === "ambiguous") {
    const { code, lookAt } = brought;
    return { outcome: "ambiguous", ...(code !== undefined && { code }), ...(lookAt && { lookAt: [...lookAt] }) };
  }
  if (end === undefined) throw new Error(`An undo did not come to item ${item} of a chunk`);
  switch (end.op) {
    case "none":
      return undefined;
    case "gone":
      return { outcome: "already-gone" };
    case "unchanged":
      return { outcome: left };
    default: {
      const { op: outcome, item: _, ...why } = end;
      return { outcome, ...why };
    }
  }
};
