import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { fastClock, realClock } from "../../../local/host/clock.ts";

const DAY_MS = 86_400_000;

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

describe("realClock", () => {
  test("waits longer than one timer of Node", async () => {
    const action = vi.fn();
    realClock.at(Date.now() + 60 * DAY_MS, action);
    await vi.advanceTimersByTimeAsync(60 * DAY_MS - 1);
    expect(action).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    expect(action).toHaveBeenCalledTimes(1);
  });

  test("acts at once when the time has passed, and never when it is cancelled", async () => {
    const [past, cancelled] = [vi.fn(), vi.fn()];
    realClock.at(0, past);
    realClock.at(Date.now() + 60 * DAY_MS, cancelled)();
    await vi.advanceTimersByTimeAsync(0);
    expect(past).toHaveBeenCalledTimes(1);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe("fastClock", () => {
  test("runs faster by its factor", async () => {
    const clock = fastClock(3600, 1_000_000);
    const action = vi.fn();
    clock.at(1_000_000 + DAY_MS, action);
    await vi.advanceTimersByTimeAsync(23_999);
    expect(action).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    expect(action).toHaveBeenCalledTimes(1);
    expect(clock.now()).toBe(1_000_000 + DAY_MS);
  });

  test("returns whole milliseconds, as files of the host need them", () => {
    const clock = fastClock(1.5, 1_000_000);
    for (let look = 0; look < 1_000; look += 1) expect(clock.now() % 1).toBe(0);
    expect(clock.now()).toBeGreaterThanOrEqual(1_000_000);
  });
});
