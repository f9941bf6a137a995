import * as z from "zod";

/** A run of consecutive batches of one chunk: from `from` up to, not including, `to`. */
export const BatchRange = z.object({
  chunk: z.int().nonnegative(),
  from: z.int().nonnegative(),
  to: z.int().positive(),
});
export type BatchRange = z.output<typeof BatchRange>;

/** What every lane says of its dealings with Graph. `waitMs` is a wait that Graph asked for and the lane did not take. */
export const LaneTraffic = z.object({
  elapsedMs: z.int().nonnegative(),
  throttled: z.int().nonnegative(),
  waitMs: z.int().nonnegative(),
});
export type LaneTraffic = z.output<typeof LaneTraffic>;
