import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  addTotals,
  askedWaitMs,
  batchesIn,
  chunkRanges,
  nextLanes,
  noProgress,
  planWave,
  SHORTEST_LANE_MS,
  shareOut,
  takeBatches,
} from "../../../functions/backup/wave.ts";
import type { BackupProgress } from "../../../shared/contracts/backup.ts";
import type { BatchRange } from "../../../shared/contracts/lane.ts";

const MOST_RANGES = 64;

/** Ranges as a run has them: chunk by chunk, some begun, none empty. */
const pendingRanges = fc
  .array(fc.record({ from: fc.nat(24), length: fc.integer({ min: 1, max: 25 }) }), { maxLength: 90 })
  .map((chunks): BatchRange[] => chunks.map(({ from, length }, chunk) => ({ chunk, from, to: from + length })));

const single = (ranges: readonly BatchRange[]): string[] =>
  ranges.flatMap(({ chunk, from, to }) => Array.from({ length: to - from }, (_, i) => `c${chunk}-b${from + i}`));

const progressWith = (overrides: Partial<BackupProgress>): BackupProgress => ({ ...noProgress, ...overrides });

describe("takeBatches", () => {
  test("takes the first batches, in order, and leaves the others", () => {
    fc.assert(
      fc.property(pendingRanges, fc.nat(500), (pending, wanted) => {
        const { taken, rest } = takeBatches(pending, wanted);

        expect([...single(taken), ...single(rest)]).toEqual(single(pending));
        expect(taken.length).toBeLessThanOrEqual(MOST_RANGES);
        const all = batchesIn(pending);
        if (pending.length <= MOST_RANGES) expect(batchesIn(taken)).toBe(Math.min(wanted, all));
      }),
    );
  });
});

describe("shareOut", () => {
  test("gives every batch to one lane or leaves it, once and in order", () => {
    fc.assert(
      fc.property(
        pendingRanges,
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 1, max: 200 }),
        (pending, lanes, most) => {
          const { shares, rest } = shareOut(pending, lanes, most);

          expect([...shares.flatMap(single), ...single(rest)]).toEqual(single(pending));
        },
      ),
    );
  });

  test("gives no lane nothing, none more than it can do, and none more ranges than an input should hold", () => {
    fc.assert(
      fc.property(
        pendingRanges,
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 1, max: 200 }),
        (pending, lanes, most) => {
          const { shares } = shareOut(pending, lanes, most);

          expect(shares.length).toBeLessThanOrEqual(lanes);
          for (const share of shares) {
            expect(batchesIn(share)).toBeGreaterThan(0);
            expect(batchesIn(share)).toBeLessThanOrEqual(most);
            expect(share.length).toBeLessThanOrEqual(MOST_RANGES);
          }
        },
      ),
    );
  });

  test("shares evenly, to one batch", () => {
    fc.assert(
      fc.property(pendingRanges, fc.integer({ min: 1, max: 4 }), (pending, lanes) => {
        fc.pre(pending.length <= MOST_RANGES);
        const sizes = shareOut(pending, lanes, Number.MAX_SAFE_INTEGER).shares.map(batchesIn);

        expect(Math.max(0, ...sizes) - Math.min(...sizes, Math.max(0, ...sizes))).toBeLessThanOrEqual(1);
      }),
    );
  });
});

describe("planWave", () => {
  test("plans one chunk first, so that exporting starts at once", () => {
    expect(planWave(noProgress, 100_000)).toEqual({
      planning: { budgetMs: 100_000, mostChunks: 1 },
      shares: [],
      rest: [],
    });
  });

  test("plans beside exporting, and no longer than the longest lane has work", () => {
    const pending = [{ chunk: 0, from: 0, to: 25 }];

    const plan = planWave(progressWith({ pending, nextChunk: 1, batchMs: 2_000 }), 100_000);

    expect(plan.shares.map(batchesIn)).toEqual([9, 8, 8]);
    expect(plan.planning).toEqual({ budgetMs: 18_000, mostChunks: 64 });
  });

  test("plans for whole milliseconds, whatever a batch was measured to last", () => {
    const pending = [{ chunk: 0, from: 0, to: 25 }];

    const { planning } = planWave(progressWith({ pending, nextChunk: 1, batchMs: 1_234.567 }), 100_000);

    expect(planning?.budgetMs).toBe(11_112);
  });

  test("does not plan while more than a wave's work is at hand", () => {
    const pending = [{ chunk: 0, from: 0, to: 25 }];

    const plan = planWave(progressWith({ pending, batchMs: 1_000 }), 4_000);

    expect(plan.planning).toBeUndefined();
    expect(plan.shares.map(batchesIn)).toEqual([6, 6, 6, 6]);
    expect(plan.rest).toEqual([{ chunk: 0, from: 24, to: 25 }]);
  });

  test("does not plan what is planned", () => {
    const pending = [{ chunk: 0, from: 0, to: 2 }];

    expect(planWave(progressWith({ pending, planned: true }), 100_000)).toEqual({
      planning: undefined,
      shares: [[{ chunk: 0, from: 0, to: 1 }], [{ chunk: 0, from: 1, to: 2 }]],
      rest: [],
    });
  });

  test("lets a single lane export what there is, and plan only when there is nothing", () => {
    const pending = [{ chunk: 0, from: 0, to: 2 }];

    expect(planWave(progressWith({ pending, lanes: 1 }), 100_000)).toEqual({
      planning: undefined,
      shares: [pending],
      rest: [],
    });
    expect(planWave(progressWith({ lanes: 1 }), 100_000)).toEqual({
      planning: { budgetMs: 100_000, mostChunks: 1 },
      shares: [],
      rest: [],
    });
  });

  test("never has more lanes at work than it was granted, and always does something", () => {
    fc.assert(
      fc.property(
        pendingRanges,
        fc.integer({ min: 1, max: 4 }),
        fc.boolean(),
        fc.integer({ min: 0, max: 60_000 }),
        fc.integer({ min: 1_000, max: 600_000 }),
        (pending, lanes, planned, batchMs, budgetMs) => {
          fc.pre(!planned || pending.length > 0);
          const { planning, shares } = planWave(progressWith({ pending, lanes, planned, batchMs }), budgetMs);

          const atWork = shares.length + (planning === undefined ? 0 : 1);
          expect(atWork).toBeGreaterThan(0);
          expect(atWork).toBeLessThanOrEqual(lanes);
          if (planning) {
            expect(planning.budgetMs).toBeGreaterThanOrEqual(SHORTEST_LANE_MS);
            expect(planning.budgetMs).toBeLessThanOrEqual(budgetMs);
          }
        },
      ),
    );
  });
});

describe("chunkRanges", () => {
  test("numbers the new chunks and leaves out those without batches", () => {
    expect(chunkRanges(7, [25, 0, 3])).toEqual([
      { chunk: 7, from: 0, to: 25 },
      { chunk: 9, from: 0, to: 3 },
    ]);
  });
});

describe("nextLanes", () => {
  test.each([
    { lanes: 4, throttled: 1, next: 2 },
    { lanes: 3, throttled: 9, next: 1 },
    { lanes: 1, throttled: 1, next: 1 },
    { lanes: 1, throttled: 0, next: 2 },
    { lanes: 4, throttled: 0, next: 4 },
  ])("after $lanes lanes with $throttled refusals come $next", ({ lanes, throttled, next }) => {
    expect(nextLanes(lanes, throttled)).toBe(next);
  });
});

describe("askedWaitMs", () => {
  test("is the longest wait of any lane, and none without lanes", () => {
    const lane = { elapsedMs: 1, throttled: 0 };

    expect(
      askedWaitMs([
        { ...lane, waitMs: 5 },
        { ...lane, waitMs: 900_000 },
        { ...lane, waitMs: 0 },
      ]),
    ).toBe(900_000);
    expect(askedWaitMs([])).toBe(0);
  });
});

describe("addTotals", () => {
  test("adds field by field, and takes what is absent as nothing", () => {
    const totals = addTotals({ ...noProgress.totals, exported: 40, bytes: 7 }, { exported: 2, throttled: 1 });

    expect(totals).toEqual({ ...noProgress.totals, exported: 42, bytes: 7, throttled: 1 });
  });
});
