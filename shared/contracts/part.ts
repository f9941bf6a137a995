import * as z from "zod";

/** Most failures that a result tells of; the count of them is whole. */
export const MAX_FAILURES = 20;

/** A part of a job that failed, by its own job, and what that said. */
export const PartFailure = z.object({ job: z.string(), reason: z.string() });
export type PartFailure = z.output<typeof PartFailure>;
