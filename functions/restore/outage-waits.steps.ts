import type { OrchestrationContext, Task } from "durable-functions";
import type * as z from "zod";
import { type ActivityContract, call } from "../../shared/durable/activity.ts";
import { type Away, isAway, nextWait, type Outage } from "../../shared/durable/outages.ts";
import { momentIn, pause } from "../../shared/durable/pause.ts";
import { holdSlots, releaseSlots, type SlotUse } from "../slots/hold-slots.steps.ts";
import type { RestoreStatus } from "./restore.progress.ts";
import type { UndoStatus } from "./undo/undo.progress.ts";

/** Waits in one generation: a history is replayed for each result, so it must stay short. */
const WAITS_PER_GENERATION = 20;

/** How long planning, and the comparison, may hold their one slot. */
export const SINGLE_MS = 10 * 60_000;

type Status = RestoreStatus | UndoStatus;

/** The waits of one generation of a restore, or of an undo, while Graph or storage is away. */
export interface OutageWaits {
  /** The outage that is being waited for; `undefined` while all is well. */
  readonly outage: Outage | undefined;
  /** Shows a status, until another is shown. */
  show(status: Status): void;
  /** Notes that the outage is over. */
  over(): void;
  /** Waits without slots, so that other jobs may use them; false when the generation has waited often enough. */
  wait(askedMs: number): Generator<Task, boolean, unknown>;
  /** Calls an activity with one slot until nothing is away; `undefined` when the generation has waited enough. */
  call<I extends z.ZodType, O extends z.ZodType>(
    activity: ActivityContract<I, O>,
    input: z.input<I>,
  ): Generator<Task, Exclude<z.output<O>, Away> | undefined, unknown>;
}

export const outageWaits = (context: OrchestrationContext, use: SlotUse, earlier: Outage | undefined): OutageWaits => {
  let outage = earlier;
  let waits = 0;
  let shown: Status | undefined;

  const over = (): void => {
    outage = undefined;
  };
  const wait = function* (askedMs: number): Generator<Task, boolean, unknown> {
    if (waits === WAITS_PER_GENERATION) return false;
    waits += 1;
    const next = nextWait(context, outage, askedMs);
    outage = next.outage;
    yield* releaseSlots(context, use);
    if (shown !== undefined) context.df.setCustomStatus({ ...shown, waitingUntil: momentIn(context, next.waitMs) });
    yield* pause(context, next.waitMs);
    if (shown !== undefined) context.df.setCustomStatus(shown);
    return true;
  };

  return {
    get outage() {
      return outage;
    },
    show: (status) => {
      shown = status;
      context.df.setCustomStatus(status);
    },
    over,
    wait,
    call: function* <I extends z.ZodType, O extends z.ZodType>(activity: ActivityContract<I, O>, input: z.input<I>) {
      for (;;) {
        const done = yield* call(context, activity, input);
        if (!isAway(done)) {
          over();
          return done as Exclude<z.output<O>, Away>;
        }
        if (!(yield* wait(done.awayMs))) return undefined;
        yield* holdSlots(context, use, 1, SINGLE_MS);
      }
    },
  };
};
