import { EventEmitter, once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { allOf } from "../../../shared/bounded.ts";
import type { SendBudget } from "../../../shared/graph/send-budget.ts";
import type { HeldSlots } from "../../slots/under-hold.ts";
import type { RestoreItem } from "../restore-state.ts";
import type { ItemQueue, TakenItem } from "./item-queue.ts";
import type { ItemOutcome } from "./settle-item.ts";

/** What the lanes of a wave share. */
export interface UploadWork {
  readonly lanes: number;
  /** Milliseconds since the epoch after which no lane begins an item. */
  readonly deadline: number;
  readonly slotsHeld: HeldSlots;
  readonly queue: ItemQueue;
  readonly budget: SendBudget;
  readonly bytesOf: (record: RestoreItem) => number;
  readonly settle: (taken: TakenItem) => Promise<ItemOutcome>;
  /** Milliseconds until an import without an answer is looked for again. */
  readonly settleMs: number;
}

/** Why the lanes ended. `waitMs`: a wait that Exchange asks for, beyond the deadline. */
export interface UploadOutcome {
  readonly sessionEnded: boolean;
  readonly waitMs: number;
}

/**
 * Runs lanes until every item is settled, time is up, the session has ended, or Exchange asks for a wait beyond the
 * deadline. One item is begun even when no time is left.
 *
 * @throws the error of a lane, but not before all lanes have ended: they use the mailbox's slots.
 */
export const uploadLanes = async (work: UploadWork): Promise<UploadOutcome> => {
  const { lanes, deadline, slotsHeld, queue, budget, bytesOf, settle, settleMs } = work;
  const items = new EventEmitter();
  let begun = 0;
  let inFlight = 0;
  let released = 0;
  let stopped = false;
  let sessionEnded = false;
  let waitMs = 0;

  const isOver = (): boolean => stopped || !slotsHeld.isHeld() || (begun > 0 && Date.now() >= deadline);
  const stopFor = (ms: number): void => {
    stopped = true;
    waitMs = Math.max(waitMs, ms);
  };

  /** Waits until this number of bytes may be sent; false when that is after the deadline. */
  const maySend = async (bytes: number): Promise<boolean> => {
    for (let wait = budget.waitMs(bytes); wait > 0; wait = budget.waitMs(bytes)) {
      if (Date.now() + wait >= deadline) stopFor(wait);
      else await delay(wait);
      if (isOver()) return false;
    }
    budget.spend(bytes);
    return true;
  };

  const upload = async (taken: TakenItem): Promise<void> => {
    if (isOver() || !(await maySend(bytesOf(taken.record)))) return queue.requeue(taken);
    begun += 1;
    const outcome = await settle(taken);
    if (outcome === "unclear") return queue.requeue(taken, Date.now() + settleMs);
    if (typeof outcome === "object" && "op" in outcome) return queue.settle(taken, outcome);
    queue.requeue(taken);
    if (outcome === "session-ended") sessionEnded = true;
    stopFor(outcome === "session-ended" ? 0 : outcome.refusedMs);
  };

  /** Waits until a lane releases an item, or a requeued item may be taken again. */
  const pause = async (): Promise<void> => {
    const over = new AbortController();
    const { signal } = over;
    const untilMs = Math.min(queue.waitMs() ?? Number.POSITIVE_INFINITY, deadline - Date.now());
    try {
      await Promise.race([once(items, "released", { signal }), delay(Math.max(0, untilMs), undefined, { signal })]);
    } finally {
      over.abort();
    }
  };

  const lane = async (): Promise<void> => {
    while (!isOver()) {
      const before = released;
      const taken = await queue.take();
      if (taken === undefined) {
        if (released !== before) continue;
        if (inFlight === 0 && queue.waitMs() === undefined) return;
        await pause();
        continue;
      }
      inFlight += 1;
      try {
        await upload(taken);
      } catch (error) {
        stopped = true;
        throw error;
      } finally {
        inFlight -= 1;
        released += 1;
        items.emit("released");
      }
    }
  };

  items.setMaxListeners(lanes);
  await allOf(Array.from({ length: lanes }, lane));
  return { sessionEnded, waitMs };
};
