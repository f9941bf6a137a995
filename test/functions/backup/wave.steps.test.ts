import { describe, expect, test } from "vitest";
import { isDone, noProgress } from "../../../functions/backup/wave.steps.ts";
import { nextLanes } from "../../../functions/slots/hold-slots.steps.ts";

describe("isDone", () => {
  const done = { nextChunk: 2, planned: true, at: { chunk: 2, batch: 0 }, again: [] };

  test.each([
    ["nothing is planned yet", noProgress.position, false],
    ["all chunks are drawn and none is to come", done, true],
    ["there is more to plan", { ...done, planned: false }, false],
    ["a batch was given back", { ...done, again: [{ chunk: 0, batch: 3 }] }, false],
    ["a chunk has batches left", { ...done, at: { chunk: 1, batch: 24 } }, false],
    ["there was nothing to plan", { ...done, nextChunk: 0, at: { chunk: 0, batch: 0 } }, true],
  ])("when %s: %o is %s", (_, position, expected) => {
    expect(isDone(position)).toBe(expected);
  });
});

describe("nextLanes", () => {
  test.each([
    [4, 1, 2],
    [3, 7, 1],
    [1, 1, 1],
    [1, 0, 2],
    [4, 0, 4],
  ])("after a wave of %i that was refused %i times is %i", (lanes, throttled, next) => {
    expect(nextLanes(lanes, throttled)).toBe(next);
  });
});
