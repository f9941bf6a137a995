import * as z from "zod";
import { defineActivity } from "../../shared/durable/activity.ts";

/** Says that a job has failed by itself: nobody is to go on with it. */
export const closeJob = defineActivity({
  name: "close-job",
  input: z.object({ job: z.string().min(1) }),
  output: z.object({}),
  retry: { firstIntervalMs: 5_000, attempts: 5, backoff: 2 },
});
