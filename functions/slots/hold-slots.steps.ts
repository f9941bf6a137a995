import type { OrchestrationContext, Task } from "durable-functions";
import type { MailboxKey } from "../../shared/contracts/ids.ts";
import { MAILBOX_SLOTS } from "../../shared/contracts/limits.ts";
import { call } from "../../shared/durable/activity.ts";
import { ownGuid } from "../../shared/durable/own-ids.ts";
import { BlockedError, callOrBlock } from "../../shared/durable/waits.ts";
import { type SlotHold, type SlotUser, shareSlots } from "./slots.contract.ts";

/** How long a wave may wait in a queue before it renews the hold. Slots of a job that was killed are free after it. */
const GRACE_MS = 2 * 60_000;

/** A job's use of one mailbox's slots, in one generation. */
export interface SlotUse {
  readonly mailboxKey: MailboxKey;
  /** The same one in all generations of a job, and another when the job begins anew: its old lanes still count. */
  readonly holder: string;
  readonly user: SlotUser;
  /** What the slots that it holds were asked by. */
  asked?: string;
}

/** Slots that a job got, and the hold under which its next activity uses them. */
export interface GrantedSlots {
  readonly slots: number;
  readonly hold: SlotHold;
}

/**
 * Takes up to `wanted` slots for lanes that run for `laneMs`.
 *
 * @throws {BlockedError} when there is none now: the job keeps its place in the queue, and is woken.
 */
export function* holdSlots(
  context: OrchestrationContext,
  use: SlotUse,
  wanted: number,
  laneMs: number,
): Generator<Task, GrantedSlots, unknown> {
  const asking = ownGuid(context, use.holder);
  const job = context.df.instanceId;
  const askedAt = context.df.currentUtcDateTime.getTime();
  const { mailboxKey, holder, user } = use;
  const request = { mailboxKey, holder, user, job, asking, askedAt, wanted, holdMs: laneMs + GRACE_MS };
  const { granted } = yield* callOrBlock(context, shareSlots, request);
  if (granted === 0) throw new BlockedError("slots");
  use.asked = asking;
  return { slots: granted, hold: { holder: use.holder, asking } };
}

/**
 * Slots to ask for next: half as many after a throttled wave, one more after a clean one, up to the mailbox's slots.
 */
export const nextLanes = (lanes: number, throttled: number): number =>
  throttled > 0 ? Math.max(1, Math.floor(lanes / 2)) : Math.min(MAILBOX_SLOTS, lanes + 1);

/** Does a job's work, and releases its slots when the work ends, fails, or waits. A killed job's slots expire. */
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

/** While storage is away, nothing can be released: the hold runs out by itself. */
function* releaseSlots(context: OrchestrationContext, use: SlotUse): Generator<Task, void, unknown> {
  const { mailboxKey, holder, user, asked } = use;
  if (asked === undefined) return;
  delete use.asked;
  yield* call(context, shareSlots, { mailboxKey, holder, user, asking: asked, wanted: 0, holdMs: 1 });
}
