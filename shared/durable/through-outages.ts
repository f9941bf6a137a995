import type { InvocationContext } from "@azure/functions";
import type { ActivityHandler } from "durable-functions";
import type * as z from "zod";
import { SlotsLostError, WorkStoppedError } from "../graph/stopped-work.ts";
import { outageOf } from "../outage.ts";
import { type ActivityContract, implement } from "./activity.ts";
import type { Away, Told } from "./outages.ts";

/**
 * The handler of an activity that returns how long to wait when Graph or storage is away, or when its mailbox or slots
 * are no longer held, and that it was told to stop when it was. Thrown, an outage would end its job with the task hub's
 * last delivery, minutes later.
 */
export const implementThroughOutages = <I extends z.ZodType, O extends z.ZodType>(
  contract: ActivityContract<I, O>,
  body: (input: z.output<I>, context: InvocationContext) => Promise<z.input<O> | Away | Told>,
): ActivityHandler =>
  implement(contract, async (input, context) => {
    try {
      return (await body(input, context)) as z.input<O>;
    } catch (error) {
      if (error instanceof WorkStoppedError) return { told: true } as z.input<O>;
      // What the work held passed away under it, as where storage was away for longer than a hold lasts: it asks anew.
      const outage = error instanceof SlotsLostError ? { askedMs: 0 } : outageOf(error);
      if (outage === undefined) throw error;
      return { awayMs: Math.ceil(outage.askedMs) } as z.input<O>;
    }
  });
