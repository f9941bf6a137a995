import * as z from "zod";
import { defineActivity } from "../../shared/durable/activity.ts";

/** Claims the id of a part for the job that is about to begin it again. */
export const claimPart = defineActivity({
  name: "claim-part",
  input: z.object({ instanceId: z.string().min(1), by: z.string().min(1) }),
  output: z.object({ isClaimed: z.boolean() }),
  retry: { firstIntervalMs: 5_000, attempts: 5, backoff: 2 },
});
