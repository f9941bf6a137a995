import { EventEmitter, once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { allOf } from "../../../shared/bounded.ts";
import type { SendBudget } from "../../../shared/graph/send-budget.ts";
import { WorkStoppedError } from "../../../shared/graph/stopped-work.ts";
import { outageOf } from "../../../shared/outage.ts";
import type { Held } from "../../slots/while-renewed.ts";
import type { Stopped } from "../restore.contract.ts";
import type { RestoreItem } from "../restore-state.ts";
import type { ItemQueue, TakenItem } from "./item-queue.ts";
import { inOutage, type Settled } from "./ledger.ts";
import { setAsideItems } from "./set-aside-items.ts";
import type { ItemOutcome, Unclear } from "./settle-item.ts";

/** Imports in a row without an answer, after which the service counts as away. Our own choice. */
const MAX_UNANSWERED = 3;

/** What the lanes of a wave share. */
export interface UploadWork {
  readonly lanes: number;
  /** Milliseconds since the epoch after which no lane begins an item. */
  readonly deadline: number;
  readonly slotsHeld: Held;
  /** Aborted when the job was told to pause or to end: no item is begun after that. */
  readonly told: AbortSignal;
  readonly queue: ItemQueue;
  readonly budget: SendBudget;
  readonly bytesOf: (record: RestoreItem) => number;
  /** Looks for an item that was tried before; `undefined` when it is to be sent again. */
  readonly look: (taken: TakenItem) => Promise<ItemOutcome | undefined>;
  readonly send: (taken: TakenItem) => Promise<ItemOutcome>;
  /** The longest wait for an import without an answer that lanes sit out when there is nothing else to do. */
  readonly idleMs: number;
  /** Called when no lane is to begin anything more. */
  readonly onStop?: () => void;
  /** The session, by when it expires, and whether it was opened for this wave. */
  readonly session: string;
  readonly fresh: boolean;
  /** Whether earlier waves imported something. */
  readonly proven: boolean;
}

/**
 * Why the lanes ended. `waitMs`: a wait that Exchange asks for, beyond the deadline, or the time until an import
 * without an answer is looked for again.
 */
export interface UploadOutcome {
  readonly sessionEnded: boolean;
  readonly waitMs: number;
  /** Whether Graph or storage is away. */
  readonly away: boolean;
  readonly stopped: Stopped | undefined;
  /** Items that were settled. */
  readonly settled: number;
}

/**
 * Runs lanes until every item is settled, time is up, the session has ended, Graph or storage is away, nothing more can
 * be imported, or nothing is left but imports without an answer, which are looked for later. One item is begun even
 * when no time is left.
 *
 * An answer is about the service, and not about its item, unless the service took another item meanwhile.
 *
 * @throws the error of a lane that is no outage, but not before all lanes have ended: they use the mailbox's slots.
 */
export const uploadLanes = async (work: UploadWork): Promise<UploadOutcome> => {
  const { lanes, deadline, slotsHeld, told, queue, budget, bytesOf, look, send, idleMs } = work;
  const items = new EventEmitter();
  let begun = 0;
  let inFlight = 0;
  let released = 0;
  let stopped = false;
  let sessionEnded = false;
  let away = false;
  let full: Stopped | undefined;
  let settled = 0;
  let unanswered = 0;
  let waitMs = 0;
  const aside = setAsideItems(work);

  const isOver = (): boolean => stopped || told.aborted || !slotsHeld.isHeld() || (begun > 0 && Date.now() >= deadline);
  const stop = (): void => {
    stopped = true;
    work.onStop?.();
  };
  const stopFor = (ms: number): void => {
    stop();
    waitMs = Math.max(waitMs, ms);
  };

  /** Waits until this number of bytes may be sent; false when that is after the deadline. */
  const maySend = async (bytes: number): Promise<boolean> => {
    for (let wait = budget.waitMs(bytes); wait > 0; wait = budget.waitMs(bytes)) {
      if (Date.now() + wait >= deadline) stopFor(wait);
      else await delay(wait, undefined, { signal: told }).catch(() => undefined);
      if (isOver()) return false;
    }
    budget.spend(bytes);
    return true;
  };

  const beAway = (askedMs: number): void => {
    away = true;
    stopFor(askedMs);
  };

  const end = async (taken: TakenItem, entry: Settled): Promise<void> => {
    await queue.settle(taken, entry);
    settled += 1;
    unanswered = 0;
    if ("itemId" in entry) await aside.accepted(end);
  };

  /** Puts an item back whose import may have made it. `isAlone`: the service took no other item meanwhile. */
  const putOff = (taken: TakenItem, { lookInMs, tries, ...why }: Unclear, isAlone: boolean): void => {
    const notBeforeMs = Date.now() + lookInMs;
    const askedMs = why.is === "away" ? why.askedMs : 0;
    if (askedMs > 0) beAway(askedMs);
    if (why.is === "unclear" || !isAlone) {
      queue.requeue(taken, { notBeforeMs, tries });
      return;
    }
    taken.ledger.note({ op: "away", item: taken.item });
    queue.requeue(taken, { notBeforeMs, tries: inOutage(tries) });
    unanswered += 1;
    if (why.is === "away" || unanswered >= MAX_UNANSWERED) beAway(askedMs);
  };

  const upload = async (taken: TakenItem): Promise<void> => {
    if (isOver()) return queue.requeue(taken);
    const known = taken.tries.length === 0 ? undefined : await look(taken);
    if (known === undefined && !(await maySend(bytesOf(taken.record)))) return queue.requeue(taken);
    begun += 1;
    const settledBefore = settled;
    const outcome = known ?? (await send(taken));
    if ("op" in outcome) return end(taken, outcome);
    switch (outcome.is) {
      case "forbidden":
        if (await aside.add(taken, outcome.code, end)) stopFor(0);
        return;
      case "full":
        full = { reason: "full", code: outcome.code };
        queue.requeue(taken);
        return stopFor(0);
      case "session-ended":
        sessionEnded = true;
        queue.requeue(taken);
        return stopFor(0);
      case "not-sent":
        return queue.requeue(taken);
      case "throttled":
        queue.requeue(taken);
        return beAway(outcome.askedMs);
      default:
        return putOff(taken, outcome, settled === settledBefore);
    }
  };

  /** Waits until a lane releases an item, or a requeued item may be taken again. */
  const pause = async (): Promise<void> => {
    const over = new AbortController();
    const signal = AbortSignal.any([over.signal, told]);
    const untilMs = Math.min(queue.waitMs() ?? Number.POSITIVE_INFINITY, deadline - Date.now());
    try {
      await Promise.race([once(items, "released", { signal }), delay(Math.max(0, untilMs), undefined, { signal })]);
    } catch (error) {
      if (!told.aborted) throw error;
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
      } finally {
        inFlight -= 1;
        released += 1;
        items.emit("released");
      }
    }
  };

  /** An item whose lane ends in an outage stays in flight: its chunk is left to the next wave. */
  const laneThroughOutages = async (): Promise<void> => {
    try {
      await lane();
    } catch (error) {
      stop();
      // A look for an item was not begun any more.
      if (error instanceof WorkStoppedError) return;
      const outage = outageOf(error);
      if (outage === undefined) throw error;
      beAway(outage.askedMs);
    }
  };

  items.setMaxListeners(lanes);
  await allOf(Array.from({ length: lanes }, laneThroughOutages));
  const refused = await aside.judge({ triedAll: !isOver(), end });
  return {
    sessionEnded: sessionEnded || refused.sessionEnded,
    waitMs,
    away,
    stopped: full ?? refused.stopped,
    settled,
  };
};
