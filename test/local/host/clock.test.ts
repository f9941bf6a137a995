import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { fastClock, keptFastClock, realClock } from "../../../local/host/clock.ts";

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

test("a fast clock runs on while its host is away", async () => {
  const folder = await mkdtemp(join(tmpdir(), "clock-"));
  const began = Date.now();
  const first = await keptFastClock(60, join(folder, "host"));
  expect(first.now() - began).toBe(0);

  await vi.advanceTimersByTimeAsync(10_000);
  const second = await keptFastClock(60, join(folder, "host"));
  expect(second.now()).toBe(first.now());
  expect(second.now() - began).toBe(600_000);
  await rm(folder, { recursive: true });
});
