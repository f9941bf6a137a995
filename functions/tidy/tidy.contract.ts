import * as z from "zod";
import { defineActivity } from "../../shared/durable/activity.ts";
import { Generation } from "../jobs/generation.contract.ts";

const Count = z.int().nonnegative();

/** What tidying did. */
export const TidyCounts = z.object({
  /** Jobs that are no longer listed. */
  forgotten: Count,
  /** Blobs of scratch data. */
  removed: Count,
  /** Blobs that storage would have removed by itself soon, and that a job still needs. */
  renewed: Count,
  /** Folders of scratch data that are left for the next time, since something failed. */
  failed: Count,
});
export type TidyCounts = z.output<typeof TidyCounts>;

/** Tidies folders of scratch data, in the order of their names, until time is up; `after` is the last one. */
export const tidyScratch = defineActivity({
  name: "tidy-scratch",
  input: z.object({ after: z.string().min(1).optional() }),
  output: TidyCounts.extend({ after: z.string().min(1).optional(), finished: z.boolean() }),
  retry: { firstIntervalMs: 10_000, attempts: 5, backoff: 2 },
});

export const TidyWorkInput = Generation.extend({ after: z.string().min(1).optional(), before: TidyCounts.optional() });
export type TidyWorkInput = z.output<typeof TidyWorkInput>;
