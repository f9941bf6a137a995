import * as z from "zod";

/** A batch by its number in a chunk, or the next batch of a chunk. */
export const BatchPlace = z.object({ chunk: z.int().nonnegative(), batch: z.int().nonnegative() });
export type BatchPlace = z.output<typeof BatchPlace>;

/** A lane's traffic with Graph. `waitMs` is a wait that Graph asked for and that is still to be taken. */
export const LaneTraffic = z.object({
  elapsedMs: z.int().nonnegative(),
  throttled: z.int().nonnegative(),
  waitMs: z.int().nonnegative(),
});
export type LaneTraffic = z.output<typeof LaneTraffic>;

/** What was sent to a mailbox in one step of time. */
export const Spending = z.object({
  /** When the step began, in seconds since the epoch. */
  at: z.int().nonnegative(),
  bytes: z.int().nonnegative(),
  requests: z.int().nonnegative(),
});
export type Spending = z.output<typeof Spending>;
