import * as z from "zod";

/** Chunks of a restore's plan: from `from` up to, not including, `to`. */
export const ChunkRange = z.object({ from: z.int().nonnegative(), to: z.int().positive() });
export type ChunkRange = z.output<typeof ChunkRange>;

/** How many chunks ranges have. */
export const chunksIn = (ranges: readonly ChunkRange[]): number =>
  ranges.reduce((sum, { from, to }) => sum + to - from, 0);

export const chunkNumbers = (ranges: readonly ChunkRange[]): number[] =>
  ranges.flatMap(({ from, to }) => Array.from({ length: to - from }, (_, n) => from + n));

/** Chunk numbers as ranges, in order. */
export const rangesOf = (numbers: readonly number[]): ChunkRange[] => {
  const ranges: ChunkRange[] = [];
  for (const number of numbers.toSorted((a, b) => a - b)) {
    const last = ranges.at(-1);
    if (last?.to === number) last.to = number + 1;
    else ranges.push({ from: number, to: number + 1 });
  }
  return ranges;
};
