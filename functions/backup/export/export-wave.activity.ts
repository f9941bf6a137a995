import type { ActivityHandler } from "durable-functions";
import type * as z from "zod";
import { implement } from "../../../shared/durable/activity.ts";
import type { OpenGraph } from "../../../shared/graph/graph-client.ts";
import { type Semaphore, semaphore } from "../../../shared/graph/semaphore.ts";
import type { Blobs } from "../../../shared/storage/blobs.ts";
import { exportWave } from "../backup.contract.ts";
import { catalogueOf, emptyCatalogue } from "../plan/catalogue.ts";
import { chunkChain } from "../plan/chunk-chain.ts";
import type { FolderScope } from "../plan/folder-scope.ts";
import { itemPages } from "../plan/item-pages.ts";
import type { PlanCache } from "../plan/plan-cache.ts";
import { runFolders } from "../plan/run-folders.ts";
import { beginWave, findWave, keepWave, type RunFolder, readRun, scratchOf, type WaveRecord } from "../run-state.ts";
import { batchQueue } from "./batch-queue.ts";
import { runLanes } from "./run-lanes.ts";
import { waveParts } from "./wave-parts.ts";

/** Batches that a process exports at a time, of all mailboxes: each takes up to 10 MiB. More want more processes. */
export const MAX_EXPORTS = 10;

/** Lanes beyond the slots: they decode, deflate and upload what has arrived, while the slots wait for Graph again. */
const SPARE_LANES = 2;

/** A wave with a short budget still waits out a passing fault: a retry by the task hub would take longer. */
const MIN_DEADLINE_MS = 30_000;

interface Deps {
  readonly openGraph: OpenGraph;
  readonly vault: Blobs;
  readonly work: Blobs;
  readonly folderScope?: FolderScope;
  readonly exportSlots: Semaphore;
  /** What this process knows of the runs that it plans. */
  readonly planCache: PlanCache;
}

type Input = z.output<typeof exportWave.input>;

/**
 * One wave: lanes plan and export until everything is done or time is up, and parts name what they stored. They are all
 * in this one call, so that they share what is planned, and the mailbox's slots, without asking anybody.
 *
 * Run twice, even at the same time: chunks and packs are created once, a pack that is there is read instead of exported
 * again, and whichever delivery keeps its record first speaks for all. The parts of another are never read.
 */
export const exportWaveActivity = (deps: Deps): ActivityHandler =>
  implement(exportWave, async (input) => {
    const { mailbox, runId, wave } = input;
    const work = scratchOf(deps.work, mailbox.key);
    const kept = await findWave(work, runId, wave);
    const { result } = kept ?? (await keepWave(work, runId, wave, await runWave({ ...deps, work }, input)));
    return result;
  });

const runWave = async (
  { openGraph, vault, work, folderScope, exportSlots, planCache }: Deps,
  { mailbox, runId, wave, slots, budgetMs, position }: Input,
): Promise<WaveRecord> => {
  const started = Date.now();
  const deadline = started + budgetMs;
  let throttled = 0;
  const graph = openGraph({
    untilMs: Math.max(deadline, started + MIN_DEADLINE_MS),
    slots: semaphore(slots),
    throttled: () => {
      throttled += 1;
    },
  });
  const pages = itemPages(graph, mailbox);
  try {
    const isFirst = await beginWave(work, runId, wave);
    const run = await readRun(work, mailbox.key, runId);
    const { folders } = await runFolders({ graph, pages, vault, work, folderScope }, { mailbox, runId }, run);
    const catalogue = run.parent === null ? emptyCatalogue : catalogueOf(vault, mailbox.key, run.parent.id);
    const chain = await chunkChain(
      { graph, pages, work, catalogue, planCache },
      { mailbox, runId, folders },
      position.nextChunk,
    );
    const queue = batchQueue({ vault, work }, { key: mailbox.key, runId }, position, !isFirst);
    pages.offer(folders.slice(chain.folder));

    const parts = waveParts(vault, { key: mailbox.key, runId, wave });
    const { planned, findings, waitMs } = await runLanes({
      lanes: slots + SPARE_LANES,
      deadline,
      chain,
      pages,
      queue,
      parts,
      run: { mailbox, runId },
      exportDeps: { vault, graph, exportSlots },
    });
    return {
      parts: await parts.close(),
      findings,
      result: {
        position: { nextChunk: chain.nextChunk, planned: chain.planned, ...queue.position },
        planned,
        removed: findings.departed.length - findings.returned.length,
        expectedItems: expected(folders),
        ...parts.counts,
        elapsedMs: Date.now() - started,
        throttled,
        waitMs,
      },
    };
  } finally {
    await pages.settled();
  }
};

/** How many items a run may find: all of a folder that is listed, and nobody knows how many where only changes come. */
const expected = (folders: readonly RunFolder[]): number =>
  folders.reduce((sum, { itemCount, deltaLink }) => sum + (deltaLink === undefined ? itemCount : 0), 0);
