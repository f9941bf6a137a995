import type { ActivityHandler } from "durable-functions";
import { type RestoreResult, reconcileRestore } from "../../shared/contracts/restore.ts";
import { implement } from "../../shared/durable/activity.ts";
import type { GraphClient, OpenGraph } from "../../shared/graph/graph-client.ts";
import { eachItem } from "../../shared/graph/items.ts";
import type { MailboxAddress } from "../../shared/graph/mailbox-address.ts";
import type { RunId } from "../../shared/ids.ts";
import type { Blobs } from "../../shared/vault/blobs.ts";
import { type Ledgers, type Settled, settledItems } from "../../shared/work/ledger.ts";
import {
  type FolderMap,
  ledgerName,
  ledgersPrefix,
  type RestorePlanState,
  readFolderMap,
  readRestoreChunk,
  readRestorePlan,
  reportName,
} from "../../shared/work/restore-state.ts";

/** How long the comparison waits for Graph before the task hub takes over. */
const PATIENCE_MS = 300_000;

/**
 * Lists the target again and compares it with what the ledgers say was imported, then writes the report. An item that
 * was imported and is not there counts as missing.
 *
 * Only reads the mailbox; run twice, the first report stands.
 */
export const reconcileRestoreActivity = (deps: {
  readonly openGraph: OpenGraph;
  readonly work: Blobs;
  readonly ledgers: Ledgers;
}): ActivityHandler =>
  implement(reconcileRestore, async ({ restoreId, mailbox }) => {
    const { work, ledgers } = deps;
    const graph = deps.openGraph({ untilMs: Date.now() + PATIENCE_MS });
    const plan = await readRestorePlan(work, restoreId);
    const folders = await readFolderMap(work, restoreId);
    const there = await liveIds(graph, mailbox, plan, folders);

    const result: RestoreResult = {
      imported: 0,
      replaced: 0,
      present: plan.present,
      ambiguous: 0,
      failed: 0,
      missing: 0,
      bytes: 0,
    };
    const problems: { folderId: string; id: string; outcome: string }[] = [];
    const outcomes = await readOutcomes(ledgers, restoreId);
    for (let chunk = 0; chunk < plan.chunks; chunk += 1) {
      const settled = outcomes.get(ledgerName(restoreId, chunk));
      for (const [item, record] of (await readRestoreChunk(work, restoreId, plan, chunk)).entries()) {
        const outcome = judge(settled?.get(item), there);
        result[outcome] += 1;
        if (outcome === "imported" || outcome === "replaced") result.bytes += record.rawBytes;
        else problems.push({ folderId: record.folderId, id: record.id, outcome });
      }
    }
    await work.create(reportName(restoreId), Buffer.from(JSON.stringify({ v: 1, restoreId, ...result, problems })));
    return result;
  });

type Outcome = "imported" | "replaced" | "ambiguous" | "failed" | "missing";

/** Each live item counts once: two that were taken for the same one are not both there. */
const judge = (entry: Settled | undefined, there: Set<string>): Outcome => {
  if (entry === undefined) return "missing";
  if (!("itemId" in entry)) return entry.op;
  return there.delete(entry.itemId) ? entry.op : "missing";
};

const readOutcomes = async (ledgers: Ledgers, restoreId: RunId): Promise<Map<string, Map<number, Settled>>> => {
  const outcomes = new Map<string, Map<number, Settled>>();
  for await (const { name, entries } of ledgers.readAll(ledgersPrefix(restoreId)))
    outcomes.set(name, settledItems(entries));
  return outcomes;
};

const liveIds = async (
  graph: GraphClient,
  mailbox: MailboxAddress,
  plan: RestorePlanState,
  folders: FolderMap,
): Promise<Set<string>> => {
  const ids = new Set<string>();
  for (const { sourceId } of plan.folders) {
    const folderId = folders[sourceId];
    if (folderId === undefined) continue;
    for await (const { id } of eachItem(graph, mailbox, folderId)) ids.add(id);
  }
  return ids;
};
