import { createHash } from "node:crypto";

/** The time that an instance and its turns bear for a time of the clock: never a later one. */
export type TurnTime = (nowMs: number) => number;

/** A new grain is drawn for each of these. */
const STRETCH_MS = 100;

/** Of one millisecond, turns have their own times; of a whole stretch, all its turns share one. */
const GRAINS_MS = [1, 10, 50, STRETCH_MS] as const;

/**
 * Cuts times to a grain, so that turns of several instances share a millisecond, as they do on a host with many. The
 * seed decides which grain holds when. On a clock that runs `factor` times as fast, grains are as many times as long:
 * they stay the same on the wall.
 */
export const sharedTimes = (seed: number, factor = 1): TurnTime => {
  const scale = Math.max(1, Math.round(factor));
  const stretchMs = STRETCH_MS * scale;
  return (nowMs) => {
    const stretch = Math.floor(nowMs / stretchMs);
    const startMs = stretch * stretchMs;
    const grainMs = grainOf(seed, stretch) * scale;
    return startMs + Math.floor((nowMs - startMs) / grainMs) * grainMs;
  };
};

const grainOf = (seed: number, stretch: number): number => {
  const [drawn = 0] = createHash("sha256").update(`${seed} ${stretch}`).digest();
  return GRAINS_MS[drawn % GRAINS_MS.length] ?? STRETCH_MS;
};
