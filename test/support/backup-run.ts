import { InvocationContext } from "@azure/functions";
import type { ActivityHandler } from "durable-functions";
import { commitSnapshot, exportWave } from "../../functions/backup/backup.contract.ts";
import { commitSnapshotActivity } from "../../functions/backup/commit-snapshot.activity.ts";
import { exportWaveActivity } from "../../functions/backup/export/export-wave.activity.ts";
import { openRunActivity } from "../../functions/backup/open-run.activity.ts";
import type { FolderScope } from "../../functions/backup/plan/folder-scope.ts";
import { planCache } from "../../functions/backup/plan/plan-cache.ts";
import { isDone, noProgress } from "../../functions/backup/wave.steps.ts";
import { addCounts } from "../../shared/contracts/add-counts.ts";
import { runId } from "../../shared/contracts/ids.ts";
import { MAILBOX_SLOTS } from "../../shared/contracts/limits.ts";
import type { MailboxRef } from "../../shared/contracts/mailbox.ts";
import { graph } from "../../shared/graph/graph-client.ts";
import { semaphore } from "../../shared/graph/semaphore.ts";
import type { Blobs } from "../../shared/storage/blobs.ts";
import { memoryBlobs } from "../shared/storage/memory-blobs.ts";

/** Where a run's activities work. */
export interface BackupPlace {
  readonly graphUrl: string;
  readonly token: string;
  readonly vault: Blobs;
  readonly work: Blobs;
  readonly state?: Blobs;
}

const call = async (handler: ActivityHandler, input: unknown): Promise<unknown> =>
  JSON.parse(JSON.stringify(await handler(JSON.parse(JSON.stringify(input)), new InvocationContext())));

let runs = 0;

/**
 * One backup of one mailbox by the real activities, in the order of the orchestrator. With a short `waveMs`, each page
 * is planned and each batch exported by a delivery of its own.
 */
export const runBackup = async (
  place: BackupPlace,
  mailbox: MailboxRef,
  options: { full?: boolean; waveMs?: number; slots?: number; folderScope?: FolderScope } = {},
) => {
  const { graphUrl, token, vault, work, state = memoryBlobs() } = place;
  const credential = { getToken: async () => ({ token, expiresOnTimestamp: Number.MAX_SAFE_INTEGER }) };
  const openGraph = graph({ endpoint: graphUrl, credential, userAgent: "test" });
  const { full = false, waveMs = 60_000, slots = MAILBOX_SLOTS, folderScope } = options;
  const deps = {
    openGraph,
    vault,
    work,
    state,
    exportSlots: semaphore(8),
    planCache: planCache(),
    laneBudgetMs: waveMs,
    ...(folderScope && { folderScope }),
  };
  runs += 1;
  const run = {
    mailbox,
    runId: runId(new Date(Date.UTC(2026, 10, 22, 1) + runs * 60_000), runs.toString(16).padStart(8, "0")),
  };

  await call(openRunActivity(deps), { ...run, full });
  let { position, totals } = noProgress;
  let waves = 0;
  for (; !isDone(position); waves += 1) {
    const input = { ...run, wave: waves, slots, budgetMs: waveMs, position };
    const done = exportWave.output.parse(await call(exportWaveActivity(deps), input));
    position = done.position;
    totals = addCounts(totals, done);
  }
  const committed = await call(commitSnapshotActivity(deps), { ...run, trigger: "request", totals, waves });
  return { ...commitSnapshot.output.parse(committed), runId: run.runId, totals };
};
