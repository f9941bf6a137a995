import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { chunksIn, shareChunks } from "../../../functions/restore/share-chunks.ts";
import type { ChunkRange } from "../../../shared/contracts/restore.ts";

/** Ranges that do not meet, as lanes leave them. */
const pendingRanges = fc
  .array(fc.record({ gap: fc.integer({ min: 1, max: 5 }), length: fc.integer({ min: 1, max: 30 }) }), { maxLength: 8 })
  .map((pieces) => {
    let at = 0;
    return pieces.map(({ gap, length }): ChunkRange => {
      const from = at + gap;
      at = from + length;
      return { from, to: at };
    });
  });

const single = (ranges: readonly ChunkRange[]): number[] =>
  ranges.flatMap(({ from, to }) => Array.from({ length: to - from }, (_, i) => from + i));

describe("shareChunks", () => {
  test("gives every chunk to one lane, in order, evenly to one chunk", () => {
    fc.assert(
      fc.property(pendingRanges, fc.integer({ min: 1, max: 4 }), (pending, lanes) => {
        const shares = shareChunks(pending, lanes);
        const sizes = shares.map(chunksIn);

        expect(shares.flatMap(single)).toEqual(single(pending));
        expect(shares.length).toBe(Math.min(lanes, chunksIn(pending)));
        if (sizes.length > 0) expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
      }),
    );
  });

  test("gives the first lane what was planned first", () => {
    expect(
      shareChunks(
        [
          { from: 2, to: 4 },
          { from: 9, to: 12 },
        ],
        2,
      ),
    ).toEqual([
      [
        { from: 2, to: 4 },
        { from: 9, to: 10 },
      ],
      [{ from: 10, to: 12 }],
    ]);
  });
});
