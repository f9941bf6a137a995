import type { OrchestrationContext, Task } from "durable-functions";
import { type SlotUser, shareSlots } from "../../shared/contracts/slots.ts";
import { call } from "../../shared/durable/activity.ts";
import { pause } from "../../shared/durable/pause.ts";
import type { MailboxKey } from "../../shared/ids.ts";

/** Between two askings while others hold all slots. */
const ASK_AGAIN_MS = 5_000;

/** A hold outlasts the lanes that use it by what their last request may take. */
const GRACE_MS = 10 * 60_000;

/** A job's use of one mailbox's slots. */
export interface SlotUse {
  readonly mailboxKey: MailboxKey;
  readonly user: SlotUser;
}

/** Takes up to `wanted` slots for lanes of a duration, and waits until there is at least one. */
export function* holdSlots(
  context: OrchestrationContext,
  use: SlotUse,
  wanted: number,
  laneMs: number,
): Generator<Task, number, unknown> {
  const request = { ...use, holder: context.df.instanceId, wanted, holdMs: laneMs + GRACE_MS };
  for (;;) {
    const { granted } = yield* call(context, shareSlots, request);
    if (granted > 0) return granted;
    yield* pause(context, ASK_AGAIN_MS);
  }
}

/** Gives back what the job holds. */
export function* releaseSlots(context: OrchestrationContext, use: SlotUse): Generator<Task, void, unknown> {
  yield* call(context, shareSlots, { ...use, holder: context.df.instanceId, wanted: 0, holdMs: 1 });
}
