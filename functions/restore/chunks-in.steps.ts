import type { ChunkRange } from "../../shared/contracts/restore.ts";

export const chunksIn = (ranges: readonly ChunkRange[]): number =>
  ranges.reduce((sum, { from, to }) => sum + to - from, 0);
