import { EventEmitter, once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { allOf } from "../../../shared/bounded.ts";
import type { SendBudget } from "../../../shared/graph/send-budget.ts";
import type { RestoreItem } from "../restore-state.ts";
import type { Drawn, ItemQueue } from "./item-queue.ts";
import type { ItemEnd } from "./settle-item.ts";

/** What lanes share. */
export interface UploadWork {
  readonly lanes: number;
  /** Milliseconds since the epoch after which no lane begins anything. */
  readonly deadline: number;
  readonly queue: ItemQueue;
  readonly budget: SendBudget;
  readonly bytesOf: (record: RestoreItem) => number;
  readonly settle: (drawn: Drawn) => Promise<ItemEnd>;
  /** Milliseconds until an import without an answer is looked for again. */
  readonly settleMs: number;
}

/** How lanes ended. `waitMs` is a wait that Exchange wants and that is longer than they have. */
export interface UploadEnd {
  readonly sessionEnded: boolean;
  readonly waitMs: number;
}

/**
 * Runs lanes until every item is settled, time is up, the session has ended, or there is a wait beyond the deadline. One
 * item is begun however short the time is.
 *
 * @throws whatever a lane fails with, but not before all of them have ended: they use the mailbox's slots.
 */
export const uploadLanes = async (work: UploadWork): Promise<UploadEnd> => {
  const { lanes, deadline, queue, budget, bytesOf, settle, settleMs } = work;
  const items = new EventEmitter();
  let begun = 0;
  let inHand = 0;
  let letGo = 0;
  let stopped = false;
  let sessionEnded = false;
  let waitMs = 0;

  const isOver = (): boolean => stopped || (begun > 0 && Date.now() >= deadline);
  const stopFor = (ms: number): void => {
    stopped = true;
    waitMs = Math.max(waitMs, ms);
  };

  /** Waits until so many bytes may be sent; false where that is after the deadline. */
  const maySend = async (bytes: number): Promise<boolean> => {
    for (let wait = budget.waitMs(bytes); wait > 0; wait = budget.waitMs(bytes)) {
      if (Date.now() + wait >= deadline) stopFor(wait);
      else await delay(wait);
      if (isOver()) return false;
    }
    budget.spend(bytes);
    return true;
  };

  const take = async (drawn: Drawn): Promise<void> => {
    if (isOver() || !(await maySend(bytesOf(drawn.record)))) return queue.giveBack(drawn);
    begun += 1;
    const end = await settle(drawn);
    if (end === "unclear") return queue.giveBack(drawn, Date.now() + settleMs);
    if (typeof end === "object" && "op" in end) return queue.settle(drawn, end);
    queue.giveBack(drawn);
    if (end === "session-ended") sessionEnded = true;
    stopFor(end === "session-ended" ? 0 : end.refusedMs);
  };

  /** Until somebody lets go of an item, or one that was given back may be drawn. */
  const pause = async (): Promise<void> => {
    const over = new AbortController();
    const { signal } = over;
    const untilMs = Math.min(queue.waitMs() ?? Number.POSITIVE_INFINITY, deadline - Date.now());
    try {
      await Promise.race([once(items, "free", { signal }), delay(Math.max(0, untilMs), undefined, { signal })]);
    } finally {
      over.abort();
    }
  };

  const lane = async (): Promise<void> => {
    while (!isOver()) {
      const before = letGo;
      const drawn = await queue.draw();
      if (drawn === undefined) {
        if (letGo !== before) continue;
        if (inHand === 0 && queue.waitMs() === undefined) return;
        await pause();
        continue;
      }
      inHand += 1;
      try {
        await take(drawn);
      } catch (error) {
        stopped = true;
        throw error;
      } finally {
        inHand -= 1;
        letGo += 1;
        items.emit("free");
      }
    }
  };

  items.setMaxListeners(lanes);
  await allOf(Array.from({ length: lanes }, lane));
  return { sessionEnded, waitMs };
};
