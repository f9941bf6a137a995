import { InvocationContext } from "@azure/functions";
import type { ActivityHandler } from "durable-functions";
import { commitSnapshotActivity } from "../../functions/backup/commit-snapshot.activity.ts";
import { exportChunksActivity } from "../../functions/backup/export-chunks.activity.ts";
import type { FolderScope } from "../../functions/backup/folder-scope.ts";
import { openRunActivity } from "../../functions/backup/open-run.activity.ts";
import { planChangesActivity } from "../../functions/backup/plan-changes.activity.ts";
import { addTotals, chunkRanges, noProgress } from "../../functions/backup/wave.ts";
import { commitSnapshot, exportChunks, planChanges } from "../../shared/contracts/backup.ts";
import type { MailboxRef } from "../../shared/contracts/mailbox.ts";
import { graph } from "../../shared/graph/graph-client.ts";
import { runId } from "../../shared/ids.ts";
import type { Blobs } from "../../shared/vault/blobs.ts";

/** Where a run's activities work. */
export interface BackupPlace {
  readonly graphUrl: string;
  readonly token: string;
  readonly vault: Blobs;
  readonly work: Blobs;
}

const call = async (handler: ActivityHandler, input: unknown): Promise<unknown> =>
  JSON.parse(JSON.stringify(await handler(JSON.parse(JSON.stringify(input)), new InvocationContext())));

let runs = 0;

/**
 * One backup of one mailbox by the real activities, in the order of the orchestrator but one after the other. Chunks are
 * planned a few at a time, so that planning is taken up by another delivery now and then.
 */
export const runBackup = async (
  place: BackupPlace,
  mailbox: MailboxRef,
  options: { full?: boolean; chunksAtATime?: number; folderScope?: FolderScope } = {},
) => {
  const { graphUrl, token, vault, work } = place;
  const credential = { getToken: async () => ({ token, expiresOnTimestamp: Number.MAX_SAFE_INTEGER }) };
  const openGraph = graph({ endpoint: graphUrl, credential, userAgent: "test" });
  const deps = { openGraph, vault, work, laneBudgetMs: 60_000 };
  runs += 1;
  const run = {
    mailbox,
    runId: runId(new Date(Date.UTC(2026, 10, 22, 1) + runs * 60_000), runs.toString(16).padStart(8, "0")),
  };

  const { folderScope } = options;
  const openDeps = folderScope === undefined ? deps : { ...deps, folderScope };
  await call(openRunActivity(openDeps), { ...run, full: options.full ?? false });
  let totals = noProgress.totals;
  let nextChunk = 0;
  for (let wave = 0, done = false; !done; wave += 1) {
    const planned = planChanges.output.parse(
      await call(planChangesActivity(deps), {
        ...run,
        wave,
        fromChunk: nextChunk,
        mostChunks: options.chunksAtATime ?? 2,
        budgetMs: 60_000,
      }),
    );
    done = planned.done;
    totals = addTotals(totals, { planned: planned.items, removed: planned.removed });
    const ranges = chunkRanges(nextChunk, planned.chunks);
    nextChunk += planned.chunks.length;
    if (ranges.length === 0) continue;
    const lane = { ...run, wave, lane: 0, ranges, budgetMs: 60_000 };
    totals = addTotals(totals, exportChunks.output.parse(await call(exportChunksActivity(deps), lane)));
  }
  const committed = await call(commitSnapshotActivity(deps), { ...run, trigger: "request", totals });
  return { ...commitSnapshot.output.parse(committed), runId: run.runId, totals };
};
