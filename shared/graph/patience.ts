import type { RetryStrategy } from "@azure/core-rest-pipeline";
import { retryAfterMs } from "./retry-after.ts";
import type { Slots } from "./slots.ts";

/** First wait when Graph names none, doubled each time up to the longest. Source: graph clients seen in production. */
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 60_000;

/** Statuses that pass by themselves. Source: learn.microsoft.com/graph/errors, and 500/502 as seen in production. */
const PASSING: readonly number[] = [429, 500, 502, 503, 504];

/** Times that a request is sent again when it fails without being refused: an item that breaks Graph must not use up a lane's time. */
const MOST_FAILURES = 4;

/** How long one piece of work may wait for Graph, and who wants to know that it had to. */
export interface Patience {
  /** Milliseconds since the epoch after which no wait may end. */
  readonly untilMs: number;
  /** Called for each 429. */
  readonly throttled?: () => void;
  /** Whether a failed request may be sent again. Imports may not: they are not idempotent. */
  readonly repeatable?: boolean;
  /** The slots that its requests share, each from being sent until its answer has arrived whole; none: no bound. */
  readonly slots?: Slots;
}

/** Spreads waits so that lanes that were refused together do not come back together. */
const jitter = (ms: number): number => ms * (0.8 + Math.random() * 0.4);

/**
 * Waits as long as Graph asks, or doubling from one second, as long as patience lasts; what would take longer is left
 * to the caller, who sees the last answer.
 */
export const patientRetry = (patience: Patience): RetryStrategy => ({
  name: "patientRetry",
  retry: ({ retryCount, response, responseError }) => {
    if (response?.status === 429) patience.throttled?.();
    const refused = response?.status === 429;
    const passing = response === undefined ? responseError !== undefined : PASSING.includes(response.status);
    if (!passing || !(refused || (patience.repeatable ?? true))) return { skipStrategy: true };
    if (!refused && retryCount >= MOST_FAILURES) return { skipStrategy: true };
    const now = Date.now();
    const asked = retryAfterMs(response?.headers.get("retry-after"), now);
    const waitMs = asked ?? jitter(Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** retryCount));
    return now + waitMs > patience.untilMs ? { skipStrategy: true } : { retryAfterInMs: waitMs };
  },
});
