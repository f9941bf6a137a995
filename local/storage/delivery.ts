import { setTimeout as sleep } from "node:timers/promises";
import { type BlobEvent, serialise } from "./events.ts";
import type { Journal } from "./journal.ts";
import type { DeliveryQuirks, Subscription } from "./options.ts";

/** An event given up on, as Event Grid would store it. */
export interface DeadLetter {
  readonly functionName: string;
  readonly attempts: number;
  readonly reason: string;
  readonly event: BlobEvent;
}

export interface Delivery {
  /** Takes charge of an event; returns at once. */
  deliver(event: BlobEvent, subscription: Subscription): void;
  setQuirks(quirks: DeliveryQuirks): void;
  readonly deadLetters: readonly DeadLetter[];
  /** Deliveries that have neither succeeded nor been given up. */
  readonly pending: number;
  /** Leaves what is pending in the journal. */
  stop(): Promise<void>;
}

interface DeliveryOptions {
  readonly journal: Journal;
  readonly hostUrl: string;
  readonly hostKey?: string | undefined;
  readonly retryDelaysMs?: readonly number[] | undefined;
  readonly maxAttempts?: number | undefined;
}

/**
 * Statuses that Event Grid does not retry for a webhook. Source: "Event Grid message delivery and retry" (Learn, 2026).
 */
const FINAL = new Set([400, 401, 403, 413]);

/** Event Grid's back-off (10 s, 30 s, 1 min, ...) shortened for a local run. */
const RETRY_DELAYS_MS = [200, 500, 1_000, 2_000, 5_000, 10_000];
/** Event Grid's default. */
const MAX_ATTEMPTS = 30;
/** Event Grid's own wait for an answer. */
const ANSWER_TIMEOUT_MS = 30_000;
/** How long the first of two events that are reordered waits for the second to be delivered. */
const OVERTAKEN_MS = 10_000;

/**
 * Posts events to functions of the host, each at least once: any answer but 2xx, and none at all, is tried again with
 * growing waits, and what was under way when the process ended is in the journal.
 */
export const createDelivery = (options: DeliveryOptions): Delivery => {
  const { journal, hostUrl, hostKey, retryDelaysMs = RETRY_DELAYS_MS, maxAttempts = MAX_ATTEMPTS } = options;
  const stopped = new AbortController();
  const running = new Set<Promise<void>>();
  const deadLetters: DeadLetter[] = [];
  let quirks: DeliveryQuirks = { duplicates: false, reordering: false };
  let accepted = 0;

  const attempt = async (event: BlobEvent, { functionName, schema }: Subscription, count: number) => {
    const { contentType, body } = serialise(event, schema);
    const response = await fetch(
      `${hostUrl}/runtime/webhooks/eventgrid?functionName=${encodeURIComponent(functionName)}`,
      {
        method: "POST",
        headers: {
          "content-type": contentType,
          ...(hostKey === undefined ? {} : { "x-functions-key": hostKey }),
          "aeg-event-type": "Notification",
          "aeg-subscription-name": functionName.toUpperCase(),
          "aeg-delivery-count": String(count),
        },
        body,
        signal: AbortSignal.any([stopped.signal, AbortSignal.timeout(ANSWER_TIMEOUT_MS)]),
      },
    );
    await response.body?.cancel();
    return response.status;
  };

  /** The answer's status, or why there was none. */
  const outcome = async (event: BlobEvent, subscription: Subscription, count: number): Promise<number | string> => {
    try {
      return await attempt(event, subscription, count);
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  };

  const untilDelivered = async (event: BlobEvent, subscription: Subscription): Promise<void> => {
    for (let count = 1; ; count += 1) {
      const answer = await outcome(event, subscription, count);
      stopped.signal.throwIfAborted();
      if (typeof answer === "number" && answer >= 200 && answer < 300) return;
      if (FINAL.has(Number(answer)) || count === maxAttempts) {
        const reason = typeof answer === "number" ? `answered ${answer}` : answer;
        deadLetters.push({ functionName: subscription.functionName, attempts: count, reason, event });
        return;
      }
      const waitMs = retryDelaysMs[Math.min(count, retryDelaysMs.length) - 1];
      await sleep(waitMs, undefined, { signal: stopped.signal });
    }
  };

  const start = (event: BlobEvent, subscription: Subscription, after: Promise<void> = Promise.resolve()) => {
    const strikeOut = journal.add({ functionName: subscription.functionName, event });
    const delivering = after
      .then(() => untilDelivered(event, subscription))
      .then(strikeOut)
      .catch((error: unknown) => {
        if (!stopped.signal.aborted) throw error;
      })
      .finally(() => running.delete(delivering));
    running.add(delivering);
    return delivering;
  };

  /** Lets the event go that waits for the next one to be delivered. */
  let release: (() => void) | undefined;

  const overtaken = (): Promise<void> => {
    const next = new Promise<void>((resolve) => {
      release = resolve;
    });
    return Promise.race([next, sleep(OVERTAKEN_MS, undefined, { signal: stopped.signal })]);
  };

  return {
    deliver: (event, subscription) => {
      accepted += 1;
      const waits = quirks.reordering && accepted % 2 === 1;
      const after = waits ? overtaken() : undefined;
      const deliveries = [start(event, subscription, after)];
      if (quirks.duplicates) deliveries.push(start(event, subscription, after));
      if (!waits) void Promise.all(deliveries).then(release);
    },
    setQuirks: (next) => {
      quirks = next;
    },
    deadLetters,
    get pending() {
      return running.size;
    },
    stop: async () => {
      stopped.abort();
      await Promise.all(running);
    },
  };
};
