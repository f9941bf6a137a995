import * as z from "zod";

/** A batch by its number in a chunk, or where the batches of a chunk go on. */
export const BatchPlace = z.object({ chunk: z.int().nonnegative(), batch: z.int().nonnegative() });
export type BatchPlace = z.output<typeof BatchPlace>;

/** What every lane says of its dealings with Graph. `waitMs` is a wait that Graph asked for and the lane did not take. */
export const LaneTraffic = z.object({
  elapsedMs: z.int().nonnegative(),
  throttled: z.int().nonnegative(),
  waitMs: z.int().nonnegative(),
});
export type LaneTraffic = z.output<typeof LaneTraffic>;

/** What was sent to a mailbox in one step of time, which began so many seconds after 1970. */
export const Spending = z.object({
  at: z.int().nonnegative(),
  bytes: z.int().nonnegative(),
  requests: z.int().nonnegative(),
});
export type Spending = z.output<typeof Spending>;
