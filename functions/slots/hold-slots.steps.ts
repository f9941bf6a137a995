import type { OrchestrationContext, Task } from "durable-functions";
import type { MailboxKey } from "../../shared/contracts/ids.ts";
import { MAILBOX_SLOTS } from "../../shared/contracts/limits.ts";
import { call } from "../../shared/durable/activity.ts";
import { ownGuid } from "../../shared/durable/own-ids.ts";
import { pause } from "../../shared/durable/pause.ts";
import { type SlotHold, type SlotUser, shareSlots } from "./slots.contract.ts";

/** Between two requests while others hold all slots. */
const RETRY_MS = 5_000;

/** How long a wave may wait in a queue before it renews the hold. Slots of a job that was killed are free after it. */
const GRACE_MS = 2 * 60_000;

/** A job's use of one mailbox's slots. */
export interface SlotUse {
  readonly mailboxKey: MailboxKey;
  /**
   * A different one for each generation of each run. So the lanes of a killed run still count, and a release that is
   * delivered again takes nothing from the next generation.
   */
  readonly holder: string;
  readonly user: SlotUser;
}

/** Slots that a job got, and the hold under which its next activity uses them. */
export interface GrantedSlots {
  readonly slots: number;
  readonly hold: SlotHold;
}

/** Takes up to `wanted` slots for lanes that run for `laneMs`; waits until there is at least one. */
export function* holdSlots(
  context: OrchestrationContext,
  use: SlotUse,
  wanted: number,
  laneMs: number,
): Generator<Task, GrantedSlots, unknown> {
  for (;;) {
    const asking = ownGuid(context, use.holder);
    const { granted } = yield* call(context, shareSlots, { ...use, asking, wanted, holdMs: laneMs + GRACE_MS });
    if (granted > 0) return { slots: granted, hold: { holder: use.holder, asking } };
    yield* pause(context, RETRY_MS);
  }
}

/**
 * Slots to ask for next: half as many after a throttled wave, one more after a clean one, up to the mailbox's slots.
 */
export const nextLanes = (lanes: number, throttled: number): number =>
  throttled > 0 ? Math.max(1, Math.floor(lanes / 2)) : Math.min(MAILBOX_SLOTS, lanes + 1);

/** Does a job's work, and releases its slots when the work ends or fails. A killed job's slots expire. */
export function* withSlots<T>(
  context: OrchestrationContext,
  use: SlotUse,
  work: Generator<Task, T, unknown>,
): Generator<Task, T, unknown> {
  try {
    return yield* work;
  } finally {
    yield* releaseSlots(context, use);
  }
}

/** Releases the slots of a job that works on, or waits for something else. */
export function* releaseSlots(context: OrchestrationContext, use: SlotUse): Generator<Task, void, unknown> {
  yield* call(context, shareSlots, { ...use, asking: ownGuid(context, use.holder), wanted: 0, holdMs: 1 });
}
