import { EventEmitter, once } from "node:events";
import { GraphError } from "../../../shared/graph/graph-error.ts";
import { OutOfTimeError, SlotsLostError } from "../../../shared/graph/stopped-work.ts";
import type { HeldSlots } from "../../slots/under-hold.ts";
import type { ChunkChain } from "../plan/chunk-chain.ts";
import type { Findings } from "../run-state.ts";
import type { Batch, BatchQueue } from "./batch-queue.ts";
import { type ExportDeps, type ExportRun, exportIntoPack } from "./export-batch.ts";
import type { WaveParts } from "./wave-parts.ts";

/**
 * How far planning may run ahead of exporting. The limit is high because the delta rounds that end planning find
 * nothing to export: lanes that had to wait for them would leave slots idle. Beyond it, planning rests until exporting
 * has caught up, instead of starting and stopping in every wave.
 */
const MAX_CHUNKS_AHEAD = 64;
const FEW_CHUNKS_AHEAD = 32;

/** What the lanes of a wave share. */
export interface LaneWork {
  readonly lanes: number;
  /** Milliseconds since the epoch after which no lane begins anything. */
  readonly deadline: number;
  readonly slotsHeld: HeldSlots;
  /** Aborted when nothing new is to be begun. */
  readonly told: AbortSignal;
  /** Whether what is planned is exported, and no more planned. */
  readonly stopPlanning: boolean;
  readonly chain: ChunkChain;
  readonly queue: BatchQueue;
  /** Takes the records of each exported batch. */
  readonly parts: WaveParts;
  readonly run: ExportRun;
  readonly exportDeps: ExportDeps;
}

/** What lanes did. */
export interface LanesDone {
  /** Items of the chunks that they planned. */
  readonly planned: number;
  readonly findings: Findings;
  /** The wait that Graph asked for, when it would have ended after the deadline; otherwise 0. */
  readonly waitMs: number;
}

/**
 * Runs lanes until everything is done, time is up, or Graph asks for a wait beyond the deadline. Lanes take batches,
 * and one planner beside them makes chunks. However short the time is, at least one chunk or batch is begun.
 *
 * @throws the error of a lane or of the planner, once all have ended: they use the mailbox's slots until then.
 */
export const runLanes = async (work: LaneWork): Promise<LanesDone> => {
  const { lanes, deadline, slotsHeld, told, stopPlanning, chain, queue, parts } = work;
  const findings: Findings = { finished: [], events: [], problems: [] };
  let planned = 0;
  /** Tells those that wait that a chunk was planned, a batch exported, or that nothing more will be. */
  const progress = new EventEmitter();
  let begun = 0;
  let stopped = false;
  let waitMs = 0;

  const isOver = (): boolean => stopped || told.aborted || !slotsHeld.isHeld() || (begun > 0 && Date.now() >= deadline);
  const chunksAhead = (): number => chain.nextChunk - queue.position.at.chunk;

  /** Ends the wave: with what is done when slots are lost or Graph asks for a longer wait, else in failure. */
  const stop = (error: unknown): void => {
    stopped = true;
    if (error instanceof SlotsLostError) return;
    if (!(error instanceof GraphError) || error.status !== 429) throw error;
    waitMs = Math.max(waitMs, error.retryAfterMs ?? 0);
  };

  const planOne = async (): Promise<void> => {
    begun += 1;
    try {
      const { batches, finished, events, problems } = await chain.extend(deadline);
      planned += batches.flat().length;
      findings.finished.push(...finished);
      findings.events.push(...events);
      findings.problems.push(...problems);
    } catch (error) {
      stop(error);
    } finally {
      progress.emit("made");
    }
  };

  let planning = !stopPlanning;
  const plan = async (): Promise<void> => {
    try {
      while (!isOver() && !chain.planned) {
        await planOne();
        if (chunksAhead() < MAX_CHUNKS_AHEAD) continue;
        while (!isOver() && chunksAhead() >= FEW_CHUNKS_AHEAD) await once(progress, "made");
      }
    } finally {
      planning = false;
      progress.emit("made");
    }
  };

  const exportOne = async (batch: Batch): Promise<void> => {
    begun += 1;
    parts.begin(batch.id);
    try {
      await parts.end(batch.id, await exportIntoPack(work.exportDeps, work.run, batch, deadline));
    } catch (error) {
      parts.drop(batch.id);
      queue.giveBack(batch);
      if (error instanceof OutOfTimeError) stopped = true;
      else stop(error);
    } finally {
      progress.emit("made");
    }
  };

  const lane = async (): Promise<void> => {
    while (!isOver()) {
      const { nextChunk } = chain;
      const batch = await queue.take(nextChunk);
      if (batch !== undefined && isOver()) queue.giveBack(batch);
      else if (batch !== undefined) await exportOne(batch);
      else if (chain.nextChunk !== nextChunk) continue;
      else if (planning) await once(progress, "made");
      else return;
    }
  };

  progress.setMaxListeners(lanes + 1);
  const ends = await Promise.allSettled([...(stopPlanning ? [] : [plan()]), ...Array.from({ length: lanes }, lane)]);
  for (const end of ends) if (end.status === "rejected") throw end.reason;
  return { planned, findings, waitMs };
};
