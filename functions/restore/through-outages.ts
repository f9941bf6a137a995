import type { InvocationContext } from "@azure/functions";
import type { ActivityHandler } from "durable-functions";
import type * as z from "zod";
import { type ActivityContract, implement } from "../../shared/durable/activity.ts";
import type { Away } from "../../shared/durable/outages.ts";
import { outageOf } from "../../shared/outage.ts";

/**
 * The handler of an activity that returns how long to wait when Graph or storage is away. Thrown, an outage would end
 * its restore with the task hub's last delivery, minutes later.
 */
export const implementThroughOutages = <I extends z.ZodType, O extends z.ZodType>(
  contract: ActivityContract<I, O>,
  body: (input: z.output<I>, context: InvocationContext) => Promise<z.input<O> | Away>,
): ActivityHandler =>
  implement(contract, async (input, context) => {
    try {
      return (await body(input, context)) as z.input<O>;
    } catch (error) {
      const outage = outageOf(error);
      if (outage === undefined) throw error;
      return { awayMs: Math.ceil(outage.askedMs) } as z.input<O>;
    }
  });
