import type { ActivityHandler } from "durable-functions";
import { implement } from "../../shared/durable/activity.ts";
import type { GraphClient, OpenGraph } from "../../shared/graph/graph-client.ts";
import { isNotFound } from "../../shared/graph/graph-error.ts";
import { eachItem, type LiveItem } from "../../shared/graph/items.ts";
import type { MailboxAddress } from "../../shared/graph/mailbox-address.ts";
import type { Blobs } from "../../shared/storage/blobs.ts";
import { findFolderMap, ledgersPrefix, readRestoreChunk, readRestorePlan } from "../restore/restore-state.ts";
import { type Ledgers, settledItems } from "../restore/upload/ledger.ts";
import { compareSample } from "./compare-sample.ts";
import { closeRehearsal, type Rehearsal } from "./rehearsal.contract.ts";
import {
  findOpenRehearsal,
  findRehearsalReport,
  keepRehearsalReport,
  noteRemoval,
  type OpenRehearsal,
  type RehearsalReport,
} from "./rehearsal-state.ts";
import { removeRehearsal } from "./remove-rehearsal.ts";

/** How long the comparison and the removal wait for Graph before the task hub takes over. */
const GRAPH_DEADLINE_MS = 300_000;

interface Deps {
  readonly openGraph: OpenGraph;
  readonly work: Blobs;
  readonly state: Blobs;
  readonly ledgers: Ledgers;
}

/**
 * Lists the items that a rehearsal restored, compares them with its sample, writes the day's report, and then removes
 * the rehearsal's folder. The report comes first: nothing can be compared in a folder that is gone.
 *
 * Run twice, the first report stands, and the rest of the folder is removed.
 */
export const closeRehearsalActivity = (deps: Deps): ActivityHandler =>
  implement(closeRehearsal, async (rehearsal) => {
    const { work, state } = deps;
    const { date, rehearsalId } = rehearsal;
    const graph = deps.openGraph({ untilMs: Date.now() + GRAPH_DEADLINE_MS });
    const open = await findOpenRehearsal(state, rehearsalId);
    const report = (await findRehearsalReport(state, date)) ?? (await writeReport({ ...deps, graph }, rehearsal, open));
    if (open !== undefined) await removeRehearsal({ graph, work, state }, open);
    await noteRemoval(state, date, new Date().toISOString());
    return { ...report.counts, proved: report.proved };
  });

const writeReport = async (
  { graph, work, state, ledgers }: Omit<Deps, "openGraph"> & { readonly graph: GraphClient },
  { date, rehearsalId, restoreId }: Rehearsal,
  open: OpenRehearsal | undefined,
): Promise<RehearsalReport> => {
  if (open === undefined) throw new Error(`The rehearsal of ${date} is not open any more`);
  const plan = await readRestorePlan(work, rehearsalId);
  const items = plan.chunks === 0 ? [] : await readRestoreChunk(work, rehearsalId, plan, 0);
  const folders = Object.values((await findFolderMap(work, restoreId)) ?? {});
  const { counts, differences } = compareSample(
    items,
    await importedItems(ledgers, restoreId),
    await liveItems(graph, open.mailbox, folders),
  );
  const { sample, damaged } = open;
  return keepRehearsalReport(state, {
    v: 1,
    date,
    rehearsalId,
    restoreId,
    finished: new Date().toISOString(),
    into: open.mailbox.key,
    sample,
    damaged,
    counts: { ...counts, damagedMailboxes: damaged.length },
    proved: items.length > 0 && counts.same === items.length && counts.extra === 0 && damaged.length === 0,
    differences,
  });
};

/** The ids of imported items, by position in the only chunk. */
const importedItems = async (ledgers: Ledgers, restoreId: string): Promise<Map<number, string>> => {
  const imported = new Map<number, string>();
  for await (const { entries } of ledgers.readAll(ledgersPrefix(restoreId)))
    for (const [position, settled] of settledItems(entries))
      if ("itemId" in settled) imported.set(position, settled.itemId);
  return imported;
};

/** A missing folder counts as empty. */
const liveItems = async (
  graph: GraphClient,
  mailbox: MailboxAddress,
  folderIds: readonly string[],
): Promise<Map<string, LiveItem>> => {
  const live = new Map<string, LiveItem>();
  for (const folderId of folderIds) {
    try {
      for await (const item of eachItem(graph, mailbox, folderId)) live.set(item.id, item);
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }
  return live;
};
