import { describe, expect, test } from "vitest";
import { historySize } from "../../bench/history-file.ts";
import { invocationLog } from "../../bench/invocations.ts";
import { overTheLeast, useOfSlots } from "../../bench/rows/backup-run.ts";
import { median } from "../../bench/rows/bundle.ts";
import { boundOf, courseOf, stretchOf } from "../../bench/rows/restore-run.ts";

describe("the use of slots", () => {
  test("is 1 when four requests are always under way", () => {
    expect(useOfSlots(400_000, 100)).toBe(1);
  });

  test("is less when a slot is idle", () => {
    expect(useOfSlots(300_000, 100)).toBe(0.75);
  });
});

test("the smallest number of requests is that of full batches, folders, pages and look-ups", () => {
  expect(overTheLeast({ items: 1_001, folders: 10, pages: 9, lookUps: 0, requests: 70 })).toBe(1);
  expect(overTheLeast({ items: 1_000, folders: 10, pages: 10, lookUps: 0, requests: 77 })).toBeCloseTo(1.1);
  expect(overTheLeast({ items: 1_000, folders: 10, pages: 10, lookUps: 30, requests: 110 })).toBeCloseTo(1.1);
});

test("the median is the middle, or the mean of the two around it", () => {
  expect(median([9, 1, 5])).toBe(5);
  expect(median([1, 9, 3, 4])).toBe(3.5);
});

describe("the size of a history", () => {
  test("adds up the generations, and has the largest", () => {
    const sizes = historySize();
    for (const [inode, bytes] of [
      [1, 100],
      [1, 100],
      [1, 900],
      [2, 50],
      [2, 300],
    ] as const)
      sizes.see(inode, bytes);
    expect(sizes.size()).toEqual({ totalBytes: 1_200, largestBytes: 900 });
  });
});

test("the host's log shows how often a function ran, and for how long", () => {
  const log = invocationLog();
  for (const line of [
    "t information [plan] Executing 'Functions.plan' (Id=1)",
    "t information [plan] Executed 'Functions.plan' (Succeeded, Id=1, Duration=12ms)",
    "t error [plan] Executed 'Functions.plan' (Failed, Id=2, Duration=99ms)",
    "t information [plan] Executed 'Functions.plan' (Succeeded, Id=3, Duration=8ms)",
  ])
    log.read(line);
  expect(log.of("plan")).toEqual({ count: 2, totalMs: 20 });
  expect(log.of("other")).toEqual({ count: 0, totalMs: 0 });
});

describe("what binds a restore", () => {
  test.each([
    ["four slots", { latencySeconds: 1, itemBytes: 1_000_000, isLong: false }, 4],
    ["10,000 requests in 10 minutes", { latencySeconds: 0.2, itemBytes: 1_000_000, isLong: false }, 10_000 / 600],
    [
      "the bytes of its items, once the first 150 MB are spent",
      { latencySeconds: 1, itemBytes: 1_000_000, isLong: true },
      0.375,
    ],
    ["four slots, where the bytes of its items do not", { latencySeconds: 1, itemBytes: 10_000, isLong: true }, 4],
  ])("is %s", (_, which, itemsPerSecond) => {
    expect(boundOf(which, which.itemBytes)).toBeCloseTo(itemsPerSecond, 9);
  });
});

describe("where a restore's rate is taken", () => {
  test("is a minute without the ends, when the slots bind", () => {
    expect(courseOf({ latencySeconds: 1, itemBytes: 10_000, isLong: false })).toEqual({
      items: 240,
      from: 12,
      to: 228,
    });
  });

  test("is within the first 150 MB of bodies, unless the restore is long", () => {
    const { items } = courseOf({ latencySeconds: 0.25, itemBytes: 1_000_000, isLong: false });

    expect(items * 1_000_000 * (4 / 3)).toBeLessThan(150e6);
    expect(items * 1_000_000 * (4 / 3)).toBeGreaterThan(140e6);
  });

  test("is one period of the limit, 150 MB, in a long one", () => {
    const { items, from, to } = courseOf({ latencySeconds: 1, itemBytes: 1_000_000, isLong: true });

    expect((to - from) * 1_000_000 * (4 / 3)).toBeCloseTo(150e6, -7);
    expect(from).toBeGreaterThan(0);
    expect(to).toBeLessThan(items);
  });

  test("goes from the first read that reaches one count to the first that reaches the other", () => {
    const looks = [0, 0, 3, 9, 9, 21, 40].map((count, second) => ({ at: second * 1_000, count }));

    expect(stretchOf(looks, { items: 40, from: 2, to: 20 })).toEqual({ items: 18, seconds: 3 });
    expect(() => stretchOf(looks, { items: 50, from: 2, to: 41 })).toThrow("ended before its rate");
  });
});
