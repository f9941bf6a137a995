import type { ChunkRange } from "../../shared/contracts/restore.ts";

export const chunksIn = (ranges: readonly ChunkRange[]): number =>
  ranges.reduce((sum, { from, to }) => sum + to - from, 0);

/** Shares chunks out evenly and in order, so that the first lanes hold what was planned first. */
export const shareChunks = (pending: readonly ChunkRange[], lanes: number): ChunkRange[][] => {
  const shares: ChunkRange[][] = [];
  let rest = [...pending];
  for (let lane = 0; lane < lanes && rest.length > 0; lane += 1) {
    let room = Math.ceil(chunksIn(rest) / (lanes - lane));
    const share: ChunkRange[] = [];
    const left: ChunkRange[] = [];
    for (const { from, to } of rest) {
      const split = Math.min(to, from + room);
      if (split > from) share.push({ from, to: split });
      if (split < to) left.push({ from: split, to });
      room -= split - from;
    }
    shares.push(share);
    rest = left;
  }
  return shares;
};
