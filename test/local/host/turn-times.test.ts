import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { sharedTimes } from "../../../local/host/turn-times.ts";

const aTime = fc.integer({ min: Date.UTC(2026, 0, 1), max: Date.UTC(2027, 0, 1) });
const aSeed = fc.nat(1000);

describe("shared times", () => {
  test("lie less than a grain behind the clock, never go back, and stay where they are when cut again", () => {
    fc.assert(
      fc.property(aSeed, fc.constantFrom(1, 2.5, 50), aTime, fc.nat(10_000), (seed, factor, nowMs, laterMs) => {
        const turnTime = sharedTimes(seed, factor);
        const cut = turnTime(nowMs);
        expect(Number.isInteger(cut)).toBe(true);
        expect(cut).toBeLessThanOrEqual(nowMs);
        expect(nowMs - cut).toBeLessThan(100 * Math.round(factor));
        expect(turnTime(nowMs + laterMs)).toBeGreaterThanOrEqual(cut);
        expect(turnTime(cut)).toBe(cut);
      }),
    );
  });

  test("are shared by some turns and not by others, as the seed decides", () => {
    const start = Date.UTC(2026, 10, 22);
    const timesOf = (seed: number) => Array.from({ length: 5000 }, (_, ms) => sharedTimes(seed)(start + ms));
    const sharing = new Map<number, number>();
    for (const time of timesOf(1)) sharing.set(time, (sharing.get(time) ?? 0) + 1);

    expect(new Set(sharing.values())).toEqual(new Set([1, 10, 50, 100]));
    expect(timesOf(1)).toEqual(timesOf(1));
    expect(timesOf(2)).not.toEqual(timesOf(1));
  });
});
