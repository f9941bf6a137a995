import type { ActivityHandler } from "durable-functions";
import type * as z from "zod";
import { implement } from "../../../shared/durable/activity.ts";
import type { OpenGraph } from "../../../shared/graph/graph-client.ts";
import { type MailboxGates, mailboxGates } from "../../../shared/graph/mailbox-gate.ts";
import { behindOthers, semaphore } from "../../../shared/graph/semaphore.ts";
import type { Blobs } from "../../../shared/storage/blobs.ts";
import type { VaultDamageError } from "../../../shared/vault/damage.ts";
import { whileWatched } from "../../jobs/watch-wish.ts";
import { type HeldSlots, underHold } from "../../slots/under-hold.ts";
import { noteMetDamage } from "../../verify/met-damage.ts";
import { exportWave, type RunPosition } from "../backup.contract.ts";
import { type CompareDeps, type Comparison, compareFolders } from "../compare/compare-folders.ts";
import { foldedCatalogue } from "../folded-catalogue.ts";
import { catalogueOf, emptyCatalogue } from "../plan/catalogue.ts";
import { type ChunkChain, chunkChain } from "../plan/chunk-chain.ts";
import type { FolderScope } from "../plan/folder-scope.ts";
import { firstPages } from "../plan/item-pages.ts";
import type { PlanCache } from "../plan/plan-cache.ts";
import { runFolders } from "../plan/run-folders.ts";
import { foldWaves, removalsIn } from "../run-outcome.ts";
import { damageBehind } from "../run-start.ts";
import {
  beginWave,
  findWave,
  keepWave,
  type RunFolder,
  type RunState,
  readRun,
  readWaves,
  scratchOf,
  type WaveRecord,
} from "../run-state.ts";
import { isExported, noProgress } from "../wave.steps.ts";
import { batchQueue } from "./batch-queue.ts";
import { BATCH_MS, PROBE_MS } from "./export-batch.ts";
import type { ExportMemory } from "./export-memory.ts";
import { runLanes } from "./run-lanes.ts";
import { type NoteDamage, storedBefore } from "./stored-before.ts";
import { waveParts } from "./wave-parts.ts";

/** How often a wave looks at what its job was told: every night has many of them, and each look is a request. */
const LOOK_MS = 5_000;

/** Lanes for each slot: some decode, deflate and upload while others wait for Graph. */
const LANES_PER_SLOT = 2;

/** A wave with a short budget still waits for a transient fault to pass: a retry by the task hub would take longer. */
const MIN_DEADLINE_MS = 30_000;

interface Deps {
  readonly openGraph: OpenGraph;
  readonly vault: Blobs;
  readonly work: Blobs;
  readonly state: Blobs;
  readonly folderScope?: FolderScope;
  readonly exportMemory: ExportMemory;
  /** Closed for all lanes of the process while Exchange asks for a wait. */
  readonly gates?: MailboxGates;
  /** What this process knows of the runs that it plans. */
  readonly planCache: PlanCache;
  /** How long slots are held without being renewed. */
  readonly holdMs?: number | undefined;
}

type Input = z.output<typeof exportWave.input>;

/**
 * One wave: lanes plan and export until everything is done or time is up, and parts hold the records of what they
 * stored. All lanes run in this one call, so that they share the plan and the mailbox's slots in memory.
 *
 * Run twice, even at the same time: chunks and packs are created once, an existing pack is read instead of exported
 * again, and the wave record that is kept first is the result of every delivery. Parts that it does not name are never
 * read. A delivery whose hold on the slots is gone does nothing, and one that meets damage in what the run follows
 * returns it.
 */
export const exportWaveActivity = (deps: Deps): ActivityHandler =>
  implement(exportWave, async (input, context) => {
    const { mailbox, runId } = input;
    const work = scratchOf(deps.work, mailbox.key);
    const kept = await findWave(work, runId, input.wave);
    if (kept !== undefined) return kept.result;
    const run = await readRun(work, mailbox.key, runId);
    const use = { mailboxKey: mailbox.key, hold: input.hold };
    const noteDamage = (damage: VaultDamageError) => noteMetDamage(deps.work, damage);
    const wave = (slotsHeld: HeldSlots) =>
      whileWatched(
        deps.state,
        input.jobs ?? [],
        async (told) => {
          const done = await runWave({ ...deps, work, slotsHeld, told, noteDamage }, input, run);
          const { result } = await keepWave(work, runId, input.wave, done);
          return { ...result, ...(told.aborted && { told: true as const }) };
        },
        { everyMs: LOOK_MS },
      );
    try {
      const done = await underHold(deps.work, use, wave, deps.holdMs);
      return done ?? { ...nothingDone(input), notHeld: true as const };
    } catch (error) {
      const { damage } = damageBehind(run, error);
      context.error(`The vault of ${mailbox.key} is damaged, and run ${runId} cannot go on: ${damage}`);
      return { ...nothingDone(input), damage };
    }
  });

/**
 * The result of a wave that did nothing. No record of it is kept: it is called again under another hold, or the run is
 * given up for one that needs nothing of what is damaged.
 */
const nothingDone = ({ position }: Input): z.output<typeof exportWave.output> => ({
  ...noProgress.totals,
  position,
  expectedItems: 0,
  elapsedMs: 0,
  waitMs: 0,
});

const runWave = async (
  {
    openGraph,
    vault,
    work,
    state,
    folderScope,
    exportMemory,
    planCache,
    gates = mailboxGates(),
    slotsHeld,
    told,
    noteDamage,
  }: Deps & { readonly slotsHeld: HeldSlots; readonly told: AbortSignal; readonly noteDamage: NoteDamage },
  { mailbox, runId, wave, slots, budgetMs, position, mayBePacked, stopPlanning }: Input,
  run: RunState,
): Promise<WaveRecord> => {
  const started = Date.now();
  const deadline = started + budgetMs;
  let throttled = 0;
  const budget = {
    endsMs: deadline + BATCH_MS + PROBE_MS,
    untilMs: Math.max(deadline, started + MIN_DEADLINE_MS),
    slots: semaphore(slots),
    gate: gates.of(mailbox.key),
    isHeld: slotsHeld.isHeld,
    throttled: () => {
      throttled += 1;
    },
  };
  const graph = openGraph(budget);
  const graphBehind = (mayWait: () => boolean) => openGraph({ ...budget, slots: behindOthers(budget.slots, mayWait) });
  const first = firstPages(
    graphBehind(() => true),
    mailbox,
  );
  let chain: ChunkChain | undefined;
  try {
    const isFirst = await beginWave(work, runId, wave);
    const found = await runFolders(
      { graph, firstPages: first, vault, work, state, folderScope },
      { mailbox, runId },
      run,
    );
    const { folders } = found;
    const its = { key: mailbox.key, runId, folders, full: run.full };
    const folded = run.parent === null ? undefined : foldedCatalogue({ vault, work }, its, run.parent.id);
    const catalogue = folded === undefined ? emptyCatalogue : catalogueOf(folded);
    const mayBegin = () => Date.now() < deadline && !told.aborted && slotsHeld.isHeld() && throttled === 0;
    chain = await chunkChain(
      { graphBehind, firstPages: first, work, catalogue, planCache, mayBegin },
      { mailbox, runId, folders },
      position.nextChunk,
    );
    const queue = batchQueue({ vault, work }, { key: mailbox.key, runId }, position, mayBePacked === true || !isFirst);

    const parts = waveParts(vault, { key: mailbox.key, runId, wave });
    const { planned, findings, waitMs } = await runLanes({
      lanes: slots * LANES_PER_SLOT,
      deadline,
      slotsHeld,
      told,
      stopPlanning: stopPlanning === true,
      chain,
      queue,
      parts,
      run: { mailbox, runId },
      exportDeps: {
        vault,
        graph,
        exportMemory,
        findStored: folded && storedBefore(vault, folded, run.damagedPacks, noteDamage),
      },
    });
    const own = { parts: await parts.close(), findings };
    const at = { nextChunk: chain.nextChunk, planned: chain.planned, ...queue.position };
    const {
      compared,
      isWhole,
      live,
      waitMs: comparingWaits,
    } = await compare(
      { graph, vault, work },
      { mailbox, runId, run, found },
      wave,
      own,
      at,
      told.aborted ? 0 : deadline,
    );
    return {
      ...own,
      compared,
      ...(live === undefined ? {} : { live }),
      result: {
        position: { ...at, compared: isWhole },
        planned,
        removed: removalsIn(findings),
        expectedItems: expected(folders),
        ...parts.counts,
        elapsedMs: Date.now() - started,
        throttled,
        waitMs: Math.max(waitMs, comparingWaits),
      },
    };
  } finally {
    await Promise.all([first.settled(), chain?.settled()]);
  }
};

/** Compares the folders once nothing is left to plan or export: until then, the books are not whole. */
const compare = async (
  deps: CompareDeps,
  its: Parameters<typeof compareFolders>[1],
  wave: number,
  own: Pick<WaveRecord, "parts" | "findings">,
  position: RunPosition,
  deadline: number,
): Promise<Comparison> => {
  if (!isExported(position)) return { compared: [], isWhole: false, waitMs: 0 };
  const earlier = await readWaves(deps.work, its.runId, wave);
  return compareFolders(deps, its, foldWaves([...earlier, { ...own, compared: [] }]), deadline);
};

/** Items that a run is expected to find: all items of folders that are listed. The number of changes is not known. */
const expected = (folders: readonly RunFolder[]): number =>
  folders.reduce((sum, { itemCount, deltaLink }) => sum + (deltaLink === undefined ? itemCount : 0), 0);
