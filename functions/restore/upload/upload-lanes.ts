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
  /** Looks for an item that was tried before; `undefined` when it is to be sent again. */
  readonly look: (taken: TakenItem) => Promise<ItemOutcome | undefined>;
  readonly send: (taken: TakenItem) => Promise<ItemOutcome>;
  /** The longest wait for an import without an answer that lanes sit out when there is nothing else to do. */
  readonly idleMs: number;
}

/**
 * Why the lanes ended. `waitMs`: a wait that Exchange asks for, beyond the deadline, or the time until an import
 * without an answer is looked for again.
 */
export interface UploadOutcome {
  readonly sessionEnded: boolean;
  readonly waitMs: number;
}

/**
 * Runs lanes until every item is settled, time is up, the session has ended, Exchange asks for a wait beyond the
 * deadline, or nothing is left but imports without an answer, which are looked for later. One item is begun even when
 * no time is left.
 *
 * @throws the error of a lane, but not before all lanes have ended: they use the mailbox's slots.
 */
export const uploadLanes = async (work: UploadWork): Promise<UploadOutcome> => {
  const { lanes, deadline, slotsHeld, queue, budget, bytesOf, look, send, idleMs } = work;
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
    if (isOver()) return queue.requeue(taken);
    const known = taken.tries.length === 0 ? undefined : await look(taken);
    if (known === undefined && !(await maySend(bytesOf(taken.record)))) return queue.requeue(taken);
    begun += 1;
    const outcome = known ?? (await send(taken));
    if (typeof outcome === "object" && "lookInMs" in outcome)
      return queue.requeue(taken, { notBeforeMs: Date.now() + outcome.lookInMs, tries: outcome.tries });
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
        const wait = inFlight === 0 ? (queue.waitMs() ?? 0) : undefined;
        if (wait === 0) return;
        if (wait !== undefined && wait > idleMs) return stopFor(wait);
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
