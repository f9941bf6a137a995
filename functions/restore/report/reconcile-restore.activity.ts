import type { ActivityHandler } from "durable-functions";
import type { RunId } from "../../../shared/contracts/ids.ts";
import type { ClientOf } from "../../../shared/durable/client.ts";
import { implementThroughOutages } from "../../../shared/durable/through-outages.ts";
import type { OpenGraph } from "../../../shared/graph/graph-client.ts";
import type { Blobs } from "../../../shared/storage/blobs.ts";
import { type RestoreResult, reconcileRestore } from "../restore.contract.ts";
import {
  findFolderMap,
  findRestorePlan,
  ledgerName,
  ledgersPrefix,
  RestorePlanState,
  readRestoreChunk,
} from "../restore-state.ts";
import { passTarget } from "../target/pass-target.ts";
import { seenVersions } from "../undo/imported-versions.ts";
import { type Ledgers, type Settled, settledItems } from "../upload/ledger.ts";
import { itemComparison } from "./compare-items.ts";
import { keepRestoreReport } from "./restore-report.ts";
import { surplusCopies } from "./surplus-copies.ts";
import { copiesSince, liveIds } from "./target-contents.ts";

/** How long the comparison waits for Graph before the task hub takes over. */
const GRAPH_DEADLINE_MS = 300_000;

/**
 * Lists the target again, compares it with the plan and the ledgers, writes the report, and leaves the mailbox to the
 * next restore. An imported item counts as missing when neither its id nor a copy of it is found, and when somebody
 * deleted its folder. Copies beyond those that were to be made are surplus. Where the mailbox could not be looked at,
 * the ledgers alone are believed.
 *
 * Only reads the mailbox. Run twice, the first report stands.
 */
export const reconcileRestoreActivity = (deps: {
  readonly clientOf: ClientOf;
  readonly openGraph: OpenGraph;
  readonly work: Blobs;
  readonly ledgers: Ledgers;
}): ActivityHandler =>
  implementThroughOutages(reconcileRestore, async ({ restoreId, mailbox, snapshotId, stopped }, context) => {
    const { work, ledgers } = deps;
    const graph = deps.openGraph({ untilMs: Date.now() + GRAPH_DEADLINE_MS });
    const plan = (await findRestorePlan(work, restoreId)) ?? planOfNothing();
    // A restore that could not create its folders has none.
    const map = (await findFolderMap(work, restoreId)) ?? {};
    const outcomes = await readOutcomes(ledgers, restoreId);
    const imported = importedIds(outcomes);
    const surplus = surplusCopies(plan.started, imported);
    const targets = new Set(plan.folders.flatMap(({ sourceId }) => map[sourceId] ?? []));
    const versions = seenVersions(work, restoreId, outcomes);
    const see: Parameters<typeof liveIds>[3] = (folderId, item) => {
      surplus.seen(folderId, item);
      versions.seen(item);
    };
    const ids = stopped?.unseen ? imported : await liveIds(graph, mailbox, targets, see);
    await versions.keep();

    const comparison = itemComparison(plan, map, ids);
    for (let chunk = 0; chunk < plan.chunks; chunk += 1) {
      const settled = outcomes.get(ledgerName(restoreId, chunk));
      for (const [item, record] of (await readRestoreChunk(work, restoreId, plan, chunk)).entries()) {
        const entry = settled?.get(item);
        const isThere = entry !== undefined && "itemId" in entry && ids.has(entry.itemId);
        surplus.add(map[record.folderId], record, entry, isThere);
        comparison.add(record, entry);
      }
    }

    const toSearch = stopped?.unseen ? [] : comparison.foldersToSearch;
    const copies = await copiesSince(graph, mailbox, toSearch, { since: plan.started, ids });
    const found = comparison.finish(copies, { surplus: surplus.found(), stopped });
    const { folders, items } = found;
    const counts: RestoreResult = { ...found.counts, ...(stopped !== undefined && { stopped }) };
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
    await passTarget({ work, client: deps.clientOf(context), mailboxKey: mailbox.key, restoreId });
    return counts;
  });

/** Of a restore that ended before it was planned. */
const planOfNothing = (): RestorePlanState =>
  RestorePlanState.parse({
    ...{ generation: "none", started: new Date().toISOString(), folders: [] },
    ...{ items: 0, present: 0, bytes: 0, chunks: 0 },
  });

const importedIds = (outcomes: ReadonlyMap<string, ReadonlyMap<number, Settled>>): Set<string> => {
  const ids = new Set<string>();
  for (const settled of outcomes.values())
    for (const entry of settled.values()) if ("itemId" in entry) ids.add(entry.itemId);
  return ids;
};

const readOutcomes = async (ledgers: Ledgers, restoreId: RunId): Promise<Map<string, Map<number, Settled>>> => {
  const outcomes = new Map<string, Map<number, Settled>>();
  for await (const { name, entries } of ledgers.readAll(ledgersPrefix(restoreId)))
    outcomes.set(name, settledItems(entries));
  return outcomes;
};
