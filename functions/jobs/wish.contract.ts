import * as z from "zod";
import { defineActivity } from "../../shared/durable/activity.ts";
import { orAway } from "../../shared/durable/outages.ts";

/** What the people who run a job want it to do. A job that was told nothing goes on. */
export const Wish = z.enum(["go-on", "pause", "cancel"]);
export type Wish = z.output<typeof Wish>;

/** Reads what a job is to do: its own wish, and those of the jobs that it is a part of. */
export const readWish = defineActivity({
  name: "read-wish",
  input: z.object({ jobs: z.array(z.string().min(1)).min(1) }),
  output: orAway(z.object({ wish: Wish })),
  retry: { firstIntervalMs: 5_000, attempts: 5, backoff: 2 },
});
