import { describe, expect, onTestFinished, test, vi } from "vitest";
import { whileWatched } from "../../../functions/jobs/watch-wish.ts";
import { makeWish } from "../../../functions/jobs/wishes.ts";
import { memoryBlobs } from "../../shared/storage/memory-blobs.ts";

const JOBS = ["restore-1", "restores-1"];

const aClock = () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  return { pass: (ms: number) => vi.advanceTimersByTimeAsync(ms) };
};

describe("work under a wish", () => {
  test.each(["pause", "cancel"] as const)("learns within a second that its job is to %s", async (wish) => {
    const { pass } = aClock();
    const state = memoryBlobs();

    await whileWatched(state, JOBS, async (told) => {
      await pass(10_000);
      expect(told.aborted).toBe(false);
      await makeWish(state, "restores-1", wish, new Date());
      await pass(1_000);
      expect(told.aborted).toBe(true);
    });
  });

  test("knows before it begins", async () => {
    const state = memoryBlobs();
    await makeWish(state, "restore-1", "pause", new Date());

    expect(await whileWatched(state, JOBS, async (told) => told.aborted)).toBe(true);
  });

  test("goes on when its job was resumed, and while storage cannot be read", async () => {
    const { pass } = aClock();
    const state = memoryBlobs();
    await makeWish(state, "restore-1", "pause", new Date(0));
    await makeWish(state, "restore-1", "go-on", new Date(1));
    const { readWhole } = state;

    await whileWatched(state, JOBS, async (told) => {
      state.readWhole = () => Promise.reject(new Error("storage is down"));
      await pass(10_000);
      expect(told.aborted).toBe(false);
      state.readWhole = readWhole;
      await makeWish(state, "restore-1", "cancel", new Date(2));
      await pass(1_000);
      expect(told.aborted).toBe(true);
    });
  });

  test("looks no more once it has ended", async () => {
    const { pass } = aClock();
    const state = memoryBlobs();
    let looks = 0;
    const { readWhole } = state;
    state.readWhole = (name) => {
      looks += 1;
      return readWhole(name);
    };
    await expect(whileWatched(state, JOBS, () => Promise.reject(new Error("broken")))).rejects.toThrow("broken");
    const before = looks;
    await pass(10_000);

    expect(looks).toBe(before);
  });
});
