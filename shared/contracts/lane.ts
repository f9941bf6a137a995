import * as z from "zod";

/** A batch of a run, by the number of its chunk and its own number there. */
export const BatchId = z.object({ chunk: z.int().nonnegative(), batch: z.int().nonnegative() });
export type BatchId = z.output<typeof BatchId>;

/**
 * A wave's traffic with Graph. `waitMs` is a wait that Graph asked for and that is still to be taken. `notHeld`: the
 * wave did nothing, as its hold on the mailbox's slots was gone when it was to begin.
 */
export const LaneTraffic = z.object({
  notHeld: z.literal(true).optional(),
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
