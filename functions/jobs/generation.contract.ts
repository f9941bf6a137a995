import * as z from "zod";
import { Wait } from "../../shared/durable/waits.ts";

/** What the input of a job in steps has of the generation before, beside what the job itself goes on with. */
export const Generation = z.object({
  /** What it has waited for since it last did something. */
  wait: Wait.optional(),
  /** Before this it does nothing, whatever wakes it. */
  notBefore: z.iso.datetime().optional(),
});
export type Generation = z.output<typeof Generation>;

/** What the result of a job that was cancelled has beside its counts. */
export const Cancelled = z.object({ stopped: z.object({ reason: z.literal("cancelled") }) });
export type Cancelled = z.output<typeof Cancelled>;

export const CANCELLED: Cancelled = { stopped: { reason: "cancelled" } };
