import { InvocationContext } from "@azure/functions";
import type { ActivityHandler } from "durable-functions";
import type * as z from "zod";
import { type BackupTotals, commitSnapshot, exportWave, openRun } from "../../functions/backup/backup.contract.ts";
import { commitSnapshotActivity } from "../../functions/backup/commit-snapshot.activity.ts";
import { exportMemory } from "../../functions/backup/export/export-memory.ts";
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
import type { Blobs } from "../../shared/storage/blobs.ts";
import { memoryBlobs } from "../shared/storage/memory-blobs.ts";
import { DiedError } from "./mortal-blobs.ts";

/** Where a run's activities work. */
export interface BackupPlace {
  readonly graphUrl: string;
  readonly token: string;
  readonly vault: Blobs;
  readonly work: Blobs;
  readonly state?: Blobs;
}

const deliverOnce = async (handler: ActivityHandler, input: unknown): Promise<unknown> =>
  JSON.parse(JSON.stringify(await handler(JSON.parse(JSON.stringify(input)), new InvocationContext())));

let runs = 0;

type Run = z.output<typeof commitSnapshot.output> & {
  readonly runId: string;
  readonly totals: BackupTotals;
  readonly isAdopted: boolean;
};

/**
 * One backup of one mailbox by the real activities, in the order of the orchestrator: a run that goes on with one that
 * died is followed by another. With a short `waveMs`, each page is planned and each batch exported by a delivery of its
 * own; with `wanders`, by a process of its own, which knows nothing of the others. What a process leaves undone when it
 * dies is delivered again, as the task hub does; after `deliveries` of them, the run has died. After `planWaves` waves
 * the run is late, and only exports what is planned.
 */
export const runBackup = async (
  place: BackupPlace,
  mailbox: MailboxRef,
  options: {
    full?: boolean;
    waveMs?: number;
    slots?: number;
    folderScope?: FolderScope;
    planWaves?: number;
    wanders?: boolean;
    deliveries?: number;
    /** When the clock says that runs begin; each adds a minute. */
    startsAt?: number;
  } = {},
) => {
  const { graphUrl, token, vault, work, state = memoryBlobs() } = place;
  const credential = { getToken: async () => ({ token, expiresOnTimestamp: Number.MAX_SAFE_INTEGER }) };
  const openGraph = graph({ endpoint: graphUrl, credential, userAgent: "test" });
  const {
    full = false,
    waveMs = 60_000,
    slots = MAILBOX_SLOTS,
    folderScope,
    planWaves,
    wanders = false,
    deliveries = 5,
    startsAt = Date.UTC(2026, 10, 22, 1),
  } = options;
  const aProcess = () => ({
    openGraph,
    vault,
    work,
    state,
    exportMemory: exportMemory(),
    planCache: planCache(),
    laneBudgetMs: waveMs,
    ...(folderScope && { folderScope }),
  });
  let deps = aProcess();
  type Deps = typeof deps;

  const call = async (activity: (deps: Deps) => ActivityHandler, input: unknown): Promise<unknown> => {
    for (let delivery = 1; ; delivery += 1) {
      if (wanders) deps = aProcess();
      try {
        return await deliverOnce(activity(deps), input);
      } catch (error) {
        if (!(error instanceof DiedError) || delivery >= deliveries) throw error;
        deps = aProcess();
      }
    }
  };
  const runOnce = async (full: boolean, damage?: string): Promise<Run> => {
    runs += 1;
    const own = runId(new Date(startsAt + runs * 60_000), runs.toString(16).padStart(8, "0"));
    const opened = openRun.output.parse(
      await call(openRunActivity, { mailbox, runId: own, full, startOver: damage !== undefined }),
    );
    const { unfinished = { runId: opened.runId ?? own, progress: noProgress } } = opened;
    const run = { mailbox, runId: unfinished.runId };
    let { position, totals, wave } = unfinished.progress;
    const isLate = () => position.nextChunk > 0 && wave >= (planWaves ?? Number.POSITIVE_INFINITY);
    for (; !isDone(position, isLate()); wave += 1) {
      const input = {
        ...{ ...run, wave, slots, budgetMs: waveMs, position },
        ...(opened.unfinished && { mayBePacked: true }),
        ...(isLate() && { stopPlanning: true }),
      };
      const done = exportWave.output.parse(await call(exportWaveActivity, input));
      if (done.damage !== undefined) return runOnce(full, done.damage);
      position = done.position;
      totals = addCounts(totals, done);
    }
    const unplanned = position.planned ? {} : { unplanned: true };
    const input = { ...run, trigger: "request", totals, waves: wave, ...unplanned };
    const committed = commitSnapshot.output.parse(await call(commitSnapshotActivity, input));
    if (committed.damage !== undefined) return runOnce(full, committed.damage);
    const met = opened.damage ?? damage;
    const isAdopted = opened.unfinished !== undefined;
    return { ...committed, runId: run.runId, totals, isAdopted, ...(met !== undefined && { damage: met }) };
  };

  const first = await runOnce(full);
  if (!first.isAdopted) return first;
  const second = await runOnce(false);
  return { ...second, isAdopted: true, totals: addCounts(first.totals, second.totals) };
};
