import type { RetryStrategy } from "@azure/core-rest-pipeline";
import { retryAfterMs } from "./retry-after.ts";
import type { Semaphore } from "./semaphore.ts";

/** First wait when Graph names none, doubled each time up to the longest. Source: graph clients seen in production. */
const FIRST_WAIT_MS = 1_000;
const MAX_WAIT_MS = 60_000;

/** Statuses that pass by themselves. Source: learn.microsoft.com/graph/errors, and 500/502 as seen in production. */
const PASSING: readonly number[] = [429, 500, 502, 503, 504];

/** Times that a request is sent again when it fails without being refused: an item that breaks Graph must not use up a lane's time. */
const MAX_FAILURES = 4;

/** What one piece of work may spend on requests: how long, how often, and on which slots. */
export interface RequestBudget {
  /** Milliseconds since the epoch after which no wait may end. */
  readonly untilMs: number;
  /** Called for each 429. */
  readonly throttled?: () => void;
  /** Whether a failed request may be sent again. Imports may not: they are not idempotent. */
  readonly repeatable?: boolean;
  /** Slots that its requests share, each from being sent until its whole answer has arrived. Without any, no bound. */
  readonly slots?: Semaphore;
}

/** Spreads waits, so that lanes that were refused together do not come back together. */
const jitter = (ms: number): number => ms * (0.8 + Math.random() * 0.4);

/**
 * Waits as long as Graph asks, or doubling from one second, up to the deadline; a longer wait is left to the caller,
 * who sees the last answer.
 */
export const budgetedRetry = (budget: RequestBudget): RetryStrategy => ({
  name: "budgetedRetry",
  retry: ({ retryCount, response, responseError }) => {
    if (response?.status === 429) budget.throttled?.();
    const refused = response?.status === 429;
    const passing = response === undefined ? responseError !== undefined : PASSING.includes(response.status);
    if (!passing || !(refused || (budget.repeatable ?? true))) return { skipStrategy: true };
    if (!refused && retryCount >= MAX_FAILURES) return { skipStrategy: true };
    const now = Date.now();
    const asked = retryAfterMs(response?.headers.get("retry-after"), now);
    const waitMs = asked ?? jitter(Math.min(MAX_WAIT_MS, FIRST_WAIT_MS * 2 ** retryCount));
    return now + waitMs > budget.untilMs ? { skipStrategy: true } : { retryAfterInMs: waitMs };
  },
});
