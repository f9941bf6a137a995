import type { OrchestrationContext, Task } from "durable-functions";
import { type SlotUser, shareSlots } from "../../shared/contracts/slots.ts";
import { call } from "../../shared/durable/activity.ts";
import { pause } from "../../shared/durable/pause.ts";
import type { MailboxKey } from "../../shared/ids.ts";

/** Between two askings while others hold all slots. */
const ASK_AGAIN_MS = 5_000;

/** A hold outlasts the lanes that use it by what their last request takes; a job that was killed lets go after that. */
const GRACE_MS = 2 * 60_000;

/** A job's use of one mailbox's slots. */
export interface SlotUse {
  readonly mailboxKey: MailboxKey;
  /** Another for each run, so that lanes of a run that was killed are still counted. */
  readonly holder: string;
  readonly user: SlotUser;
}

/** Takes up to `wanted` slots for lanes of a duration, and waits until there is at least one. */
export function* holdSlots(
  context: OrchestrationContext,
  use: SlotUse,
  wanted: number,
  laneMs: number,
): Generator<Task, number, unknown> {
  const request = { ...use, wanted, holdMs: laneMs + GRACE_MS };
  for (;;) {
    const { granted } = yield* call(context, shareSlots, request);
    if (granted > 0) return granted;
    yield* pause(context, ASK_AGAIN_MS);
  }
}

/** Does a job's work, and gives back what it holds when that ends or fails. A job that is killed lets go by itself. */
export function* withSlots<T>(
  context: OrchestrationContext,
  use: SlotUse,
  work: Generator<Task, T, unknown>,
): Generator<Task, T, unknown> {
  try {
    const result = yield* work;
    yield* releaseSlots(context, use);
    return result;
  } catch (error) {
    yield* releaseSlots(context, use);
    throw error;
  }
}

function* releaseSlots(context: OrchestrationContext, use: SlotUse): Generator<Task, void, unknown> {
  yield* call(context, shareSlots, { ...use, wanted: 0, holdMs: 1 });
}
