import type { OrchestrationContext, Task } from "durable-functions";
import type * as z from "zod";
import { MAILBOX_SLOTS } from "../../../shared/contracts/limits.ts";
import type { ActivityContract } from "../../../shared/durable/activity.ts";
import type { Away, Told } from "../../../shared/durable/outages.ts";
import { callOrBlock, ToldError, type Wait } from "../../../shared/durable/waits.ts";
import { holdSlots, type SlotUse } from "../../slots/hold-slots.steps.ts";
import { isUnfinished, type StepSlots, type Unfinished } from "./paged.contract.ts";

/** Steps in one generation: history is replayed for each result, so it must stay short. */
const STEPS_PER_GENERATION = 20;

/** How long a step may wait in a queue with its slots. Once it has begun, it renews them. */
const STEP_MS = 10 * 60_000;

/**
 * Does a piece of work in steps, each of which goes on from the checkpoint of the one before. Returns `undefined` when
 * the generation is full.
 *
 * @throws {BlockedError | ToldError} when the generation ends for another reason.
 */
export function* inSteps<I extends z.ZodType, O extends z.ZodType<object>>(
  context: OrchestrationContext,
  run: { readonly slots: SlotUse; wait: Wait | undefined },
  activity: ActivityContract<I, O>,
  what: Omit<z.input<I>, keyof z.input<typeof StepSlots>>,
): Generator<Task, Exclude<z.output<O>, Away | Told | Unfinished> | undefined, unknown> {
  for (let steps = 0; steps < STEPS_PER_GENERATION; steps += 1) {
    const granted = yield* holdSlots(context, run.slots, MAILBOX_SLOTS, STEP_MS);
    const done = yield* callOrBlock(context, activity, { ...what, ...granted } as z.input<I>);
    if (!isUnfinished(done)) {
      run.wait = undefined;
      return done as Exclude<z.output<O>, Away | Told | Unfinished>;
    }
    if (done.notHeld) throw new ToldError("The step's slots, or its mailbox, were no longer the restore's");
    run.wait = undefined;
  }
  return undefined;
}
