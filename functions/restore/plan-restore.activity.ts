import { randomBytes } from "node:crypto";
import type { ActivityHandler } from "durable-functions";
import { planRestore } from "../../shared/contracts/restore.ts";
import { implement } from "../../shared/durable/activity.ts";
import { listFolders } from "../../shared/graph/folders.ts";
import type { GraphClient, OpenGraph } from "../../shared/graph/graph-client.ts";
import { eachItem } from "../../shared/graph/items.ts";
import type { MailboxAddress } from "../../shared/graph/mailbox-address.ts";
import type { RunId } from "../../shared/ids.ts";
import type { Blobs } from "../../shared/vault/blobs.ts";
import { foldSnapshot } from "../../shared/vault/fold.ts";
import type { PutRecord } from "../../shared/vault/records.ts";
import { readManifest } from "../../shared/vault/snapshots.ts";
import { keepRestoreChunk, keepRestorePlan, type TargetFolder } from "../../shared/work/restore-state.ts";
import { copyCounter } from "./copy-counter.ts";
import { selectFolders } from "./select-folders.ts";
import { targetFolders } from "./target-folders.ts";

/** Items in a chunk: what one ledger covers, and what a lane holds at a time. */
const CHUNK_ITEMS = 50;

/** How long planning waits for Graph before the task hub takes over. */
const PATIENCE_MS = 120_000;

/**
 * Plans a restore: the folders it needs, and the items that are not in their place already, newest first.
 *
 * Run twice, the plan that is finished first stands; the other's chunks are never read.
 */
export const planRestoreActivity = (deps: {
  readonly openGraph: OpenGraph;
  readonly vault: Blobs;
  readonly work: Blobs;
  readonly laneBudgetMs: number;
}): ActivityHandler =>
  implement(planRestore, async ({ restoreId, mailbox, snapshotId, select, target }) => {
    const { vault, work, laneBudgetMs } = deps;
    const graph = deps.openGraph({ untilMs: Date.now() + PATIENCE_MS });
    const snapshot = await readManifest(vault, mailbox.key, snapshotId);
    if (snapshot === undefined) throw new Error(`Snapshot ${snapshotId} is not in the vault any more`);

    const { folders: all } = snapshot.manifest;
    const selected = selectFolders(all, select);
    const live = await listFolders(graph, mailbox);
    const folders = targetFolders(target, selected, all, live, topName(restoreId));
    const present = await copiesInPlace(graph, mailbox, folders);

    const wanted = new Set(selected.map(({ id }) => id));
    const generation = randomBytes(6).toString("hex");
    const counts = { items: 0, present: 0, bytes: 0, chunks: 0 };
    let chunk: PutRecord[] = [];
    const flush = async (): Promise<void> => {
      if (chunk.length === 0) return;
      await keepRestoreChunk(work, restoreId, generation, counts.chunks, chunk);
      counts.chunks += 1;
      chunk = [];
    };
    for await (const item of foldSnapshot(vault, mailbox.key, snapshotId, ({ folderId }) => wanted.has(folderId))) {
      if (present.take(item.folderId, item.searchKey)) {
        counts.present += 1;
        continue;
      }
      chunk.push(item);
      counts.items += 1;
      counts.bytes += item.rawBytes;
      if (chunk.length === CHUNK_ITEMS) await flush();
    }
    await flush();

    const started = new Date().toISOString();
    const plan = await keepRestorePlan(work, restoreId, { ...counts, generation, started, folders });
    return {
      items: plan.items,
      present: plan.present,
      bytes: plan.bytes,
      chunks: plan.chunks,
      folders: plan.folders.length,
      foldersToCreate: plan.folders.filter(({ liveId }) => liveId === undefined).length,
      laneBudgetMs,
    };
  });

/** Tells restores of one minute apart, so that a retried plan finds its own folder and no other. */
const topName = (restoreId: RunId): string => {
  const [, year, month, day, hour, minute] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)/.exec(restoreId) ?? [];
  return `Restored ${year}-${month}-${day} ${hour}.${minute} ${restoreId.slice(-6)}`;
};

/** How many copies of each item lie in the live folders that the restore would fill. */
const copiesInPlace = async (graph: GraphClient, mailbox: MailboxAddress, folders: readonly TargetFolder[]) => {
  const copies = copyCounter();
  for (const { sourceId, liveId } of folders) {
    if (liveId === undefined) continue;
    for await (const { searchKey } of eachItem(graph, mailbox, liveId)) copies.add(sourceId, searchKey);
  }
  return copies;
};
