import type { ActivityHandler } from "durable-functions";
import type { RunId } from "../../../shared/contracts/ids.ts";
import type { OpenGraph } from "../../../shared/graph/graph-client.ts";
import type { Blobs } from "../../../shared/storage/blobs.ts";
import { type RestoreResult, reconcileRestore } from "../restore.contract.ts";
import { findFolderMap, ledgerName, ledgersPrefix, readRestoreChunk, readRestorePlan } from "../restore-state.ts";
import { implementThroughOutages } from "../through-outages.ts";
import { type Ledgers, type Settled, settledItems } from "../upload/ledger.ts";
import { itemComparison } from "./compare-items.ts";
import { keepRestoreReport } from "./restore-report.ts";
import { copiesSince, liveIds } from "./target-contents.ts";

/** How long the comparison waits for Graph before the task hub takes over. */
const GRAPH_DEADLINE_MS = 300_000;

/**
 * Lists the target again, compares it with the plan and the ledgers, then writes the report. An imported item counts as
 * missing when neither its id nor a copy of it is found, and when somebody deleted its folder.
 *
 * Only reads the mailbox. Run twice, the first report stands.
 */
export const reconcileRestoreActivity = (deps: {
  readonly openGraph: OpenGraph;
  readonly work: Blobs;
  readonly ledgers: Ledgers;
}): ActivityHandler =>
  implementThroughOutages(reconcileRestore, async ({ restoreId, mailbox, snapshotId, stopped }) => {
    const { work, ledgers } = deps;
    const graph = deps.openGraph({ untilMs: Date.now() + GRAPH_DEADLINE_MS });
    const plan = await readRestorePlan(work, restoreId);
    // A restore that could not create its folders has none.
    const map = (await findFolderMap(work, restoreId)) ?? {};
    const ids = await liveIds(graph, mailbox, new Set(plan.folders.flatMap(({ sourceId }) => map[sourceId] ?? [])));

    const comparison = itemComparison(plan, map, ids);
    const outcomes = await readOutcomes(ledgers, restoreId);
    for (let chunk = 0; chunk < plan.chunks; chunk += 1) {
      const settled = outcomes.get(ledgerName(restoreId, chunk));
      for (const [item, record] of (await readRestoreChunk(work, restoreId, plan, chunk)).entries())
        comparison.add(record, settled?.get(item));
    }

    const copies = await copiesSince(graph, mailbox, comparison.foldersToSearch, { since: plan.started, ids });
    const { counts: counted, folders, items } = comparison.finish(copies, stopped);
    const counts: RestoreResult = { ...counted, ...(stopped !== undefined && { stopped }) };
    await keepRestoreReport(work, {
      v: 1,
      restoreId,
      mailbox: mailbox.key,
      ...(snapshotId === undefined ? {} : { snapshot: snapshotId }),
      started: plan.started,
      finished: new Date().toISOString(),
      counts,
      folders,
      items,
    });
    return counts;
  });

const readOutcomes = async (ledgers: Ledgers, restoreId: RunId): Promise<Map<string, Map<number, Settled>>> => {
  const outcomes = new Map<string, Map<number, Settled>>();
  for await (const { name, entries } of ledgers.readAll(ledgersPrefix(restoreId)))
    outcomes.set(name, settledItems(entries));
  return outcomes;
};
