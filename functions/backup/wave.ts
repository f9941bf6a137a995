import type { BackupProgress, BackupTotals } from "../../shared/contracts/backup.ts";
import type { BatchRange, LaneTraffic } from "../../shared/contracts/lane.ts";
import { MAILBOX_SLOTS } from "../../shared/graph/limits.ts";

/** A lane with less time than this is not worth its hop through the task hub. */
export const SHORTEST_LANE_MS = 1_000;

/** How long a batch is taken to last before one was measured. */
export const GUESSED_BATCH_MS = 1_000;

/** Most chunks one planning lane adds: what four lanes export in 100 s at 4 requests a second, so never far ahead. */
const MOST_CHUNKS = 64;

/** Most ranges one lane is given, which bounds an activity's input. */
const MOST_RANGES = 64;

export const noProgress: BackupProgress = {
  wave: 0,
  lanes: MAILBOX_SLOTS,
  pending: [],
  nextChunk: 0,
  planned: false,
  batchMs: 0,
  totals: { planned: 0, exported: 0, skipped: 0, failed: 0, removed: 0, bytes: 0, storedBytes: 0, throttled: 0 },
};

export const batchesIn = (ranges: readonly BatchRange[]): number =>
  ranges.reduce((sum, { from, to }) => sum + to - from, 0);

/** Splits ranges into what the first `batches` batches are, and the rest. */
export const takeBatches = (
  ranges: readonly BatchRange[],
  batches: number,
): { taken: BatchRange[]; rest: BatchRange[] } => {
  const taken: BatchRange[] = [];
  const rest: BatchRange[] = [];
  let room = batches;
  for (const range of ranges) {
    const split = Math.min(range.to, range.from + (taken.length < MOST_RANGES ? room : 0));
    if (split > range.from) taken.push({ ...range, to: split });
    if (split < range.to) rest.push({ ...range, from: split });
    room -= split - range.from;
  }
  return { taken, rest };
};

/**
 * Shares batches out evenly, in order: lane n's batches come before lane n+1's, and so do its parts. No lane is given
 * more than it can do in its time, with room for a guess that was too long.
 */
export const shareOut = (
  pending: readonly BatchRange[],
  lanes: number,
  mostEach: number,
): { shares: BatchRange[][]; rest: BatchRange[] } => {
  const shares: BatchRange[][] = [];
  let rest: BatchRange[] = [...pending];
  for (let lane = 0; lane < lanes && rest.length > 0; lane += 1) {
    const share = takeBatches(rest, Math.min(mostEach, Math.ceil(batchesIn(rest) / (lanes - lane))));
    shares.push(share.taken);
    rest = share.rest;
  }
  return { shares, rest };
};

/** What a wave does: whether one lane plans, and how much the others export for how long. */
export interface WavePlan {
  readonly planning: { readonly budgetMs: number; readonly mostChunks: number } | undefined;
  readonly shares: readonly BatchRange[][];
  readonly rest: BatchRange[];
}

/**
 * Plans while less than a wave's work is at hand, and only for as long as the others have something to export: a lane
 * that waits for the planner wastes a slot. The first wave plans one chunk, so that exporting starts at once. A single
 * lane does one or the other.
 */
export const planWave = (progress: BackupProgress, budgetMs: number): WavePlan => {
  const batchMs = progress.batchMs || GUESSED_BATCH_MS;
  const eachLane = Math.max(1, Math.ceil((budgetMs / batchMs) * 1.5));
  const enough = batchesIn(progress.pending) * batchMs >= progress.lanes * budgetMs * 1.5;
  const mayPlan = progress.lanes > 1 || progress.pending.length === 0;
  const plans = !progress.planned && !enough && mayPlan;
  const exporters = plans ? progress.lanes - 1 : progress.lanes;
  const { shares, rest } = shareOut(progress.pending, exporters, eachLane);
  if (!plans) return { planning: undefined, shares, rest };

  const longest = Math.ceil(Math.max(0, ...shares.map(batchesIn)) * batchMs);
  const planning =
    shares.length === 0
      ? { budgetMs, mostChunks: 1 }
      : { budgetMs: Math.max(SHORTEST_LANE_MS, Math.min(budgetMs, longest)), mostChunks: MOST_CHUNKS };
  return { planning, shares, rest };
};

/** The new chunks as ranges of all their batches; a chunk of removals alone has none. */
export const chunkRanges = (fromChunk: number, batchCounts: readonly number[]): BatchRange[] =>
  batchCounts.flatMap((batches, index) => (batches === 0 ? [] : [{ chunk: fromChunk + index, from: 0, to: batches }]));

/** Half the lanes after a wave that saw 429, one more after a clean one, within what the mailbox allows. */
export const nextLanes = (lanes: number, throttled: number): number =>
  throttled > 0 ? Math.max(1, Math.floor(lanes / 2)) : Math.min(MAILBOX_SLOTS, lanes + 1);

/** The longest wait that any lane was asked for and left to a durable timer. */
export const askedWaitMs = (lanes: readonly LaneTraffic[]): number => Math.max(0, ...lanes.map(({ waitMs }) => waitMs));

export const addTotals = (totals: BackupTotals, more: Partial<BackupTotals>): BackupTotals => ({
  planned: totals.planned + (more.planned ?? 0),
  exported: totals.exported + (more.exported ?? 0),
  skipped: totals.skipped + (more.skipped ?? 0),
  failed: totals.failed + (more.failed ?? 0),
  removed: totals.removed + (more.removed ?? 0),
  bytes: totals.bytes + (more.bytes ?? 0),
  storedBytes: totals.storedBytes + (more.storedBytes ?? 0),
  throttled: totals.throttled + (more.throttled ?? 0),
});
