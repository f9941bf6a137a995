import * as z from "zod";

/** Most failures that a result names; it counts all of them. */
export const MAX_FAILURES = 20;

/** A part of a job that failed: the part's own job, and the reason of that failure. */
export const PartFailure = z.object({ job: z.string(), reason: z.string() });
export type PartFailure = z.output<typeof PartFailure>;
