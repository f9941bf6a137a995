import { describe, expect, test } from "vitest";
import { historySize } from "../../bench/history-file.ts";
import { invocationLog } from "../../bench/invocations.ts";
import { overTheLeast, useOfSlots } from "../../bench/rows/backup-run.ts";
import { median } from "../../bench/rows/bundle.ts";

describe("the use of slots", () => {
  test("is whole when four requests are always under way", () => {
    expect(useOfSlots(400_000, 100)).toBe(1);
  });

  test("counts a slot that rests", () => {
    expect(useOfSlots(300_000, 100)).toBe(0.75);
  });
});

test("the least requests are full batches, folders and pages", () => {
  expect(overTheLeast({ items: 1_001, folders: 10, pages: 9, requests: 70 })).toBe(1);
  expect(overTheLeast({ items: 1_000, folders: 10, pages: 10, requests: 77 })).toBeCloseTo(1.1);
});

test("the median is the middle, or the mean of the two around it", () => {
  expect(median([9, 1, 5])).toBe(5);
  expect(median([1, 9, 3, 4])).toBe(3.5);
});

describe("the size of a history", () => {
  test("adds what generations wrote, and knows the largest", () => {
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

test("the host's log tells how often a function ran, and for how long", () => {
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
