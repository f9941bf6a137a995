import type { ActivityHandler } from "durable-functions";
import { openRun } from "../../shared/contracts/backup.ts";
import { implement } from "../../shared/durable/activity.ts";
import { listFolders } from "../../shared/graph/folders.ts";
import type { OpenGraph } from "../../shared/graph/graph-client.ts";
import type { Blobs } from "../../shared/vault/blobs.ts";
import { partName } from "../../shared/vault/names.ts";
import { writePart } from "../../shared/vault/part-writer.ts";
import { readHead } from "../../shared/vault/snapshots.ts";
import { keepRun } from "../../shared/work/run-state.ts";
import { foldersInScope } from "./folder-scope.ts";

/** How long opening a run waits for Graph before the task hub takes over. */
const PATIENCE_MS = 60_000;

/**
 * Takes stock of a mailbox: its folders, which become the run's first part, and the snapshot that this run follows.
 *
 * Run twice, the second gets what the first found, even if the mailbox has changed in between.
 */
export const openRunActivity = (deps: {
  readonly openGraph: OpenGraph;
  readonly vault: Blobs;
  readonly work: Blobs;
  readonly laneBudgetMs: number;
}): ActivityHandler =>
  implement(openRun, async ({ mailbox, runId }) => {
    const { vault, work, laneBudgetMs } = deps;
    const graph = deps.openGraph({ untilMs: Date.now() + PATIENCE_MS });
    const [live, head] = await Promise.all([listFolders(graph, mailbox.id), readHead(vault, mailbox.key)]);
    const newest = head?.newest ?? null;
    const { folders } = await keepRun(work, runId, {
      started: new Date().toISOString(),
      parent: newest && { id: newest.id, sha256: newest.manifestSha256 },
      folders: foldersInScope(live),
    });
    const records = folders.map(({ itemCount: _, ...folder }) => ({ v: 1 as const, op: "folder" as const, ...folder }));
    await writePart(vault, partName(mailbox.key, runId, "folders"), records);
    return {
      folders: folders.length,
      expectedItems: folders.reduce((sum, { itemCount }) => sum + itemCount, 0),
      laneBudgetMs,
    };
  });
