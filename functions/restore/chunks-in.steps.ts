import type { ChunkRange } from "./restore.contract.ts";

export const chunksIn = (ranges: readonly ChunkRange[]): number =>
  ranges.reduce((sum, { from, to }) => sum + to - from, 0);
