import type { PipelineResponse, RetryStrategy } from "@azure/core-rest-pipeline";
import { isFullCode, readErrorBody } from "./graph-error.ts";
import type { MailboxGate } from "./mailbox-gate.ts";
import { retryAfterMs } from "./retry-after.ts";
import type { Semaphore } from "./semaphore.ts";

/** First wait when Graph names none, doubled each time up to the longest. Source: graph clients seen in production. */
const FIRST_WAIT_MS = 1_000;
const MAX_WAIT_MS = 60_000;

/** Statuses of transient faults. Source: learn.microsoft.com/graph/errors, and 500/502 as seen in production. */
const TRANSIENT: readonly number[] = [429, 500, 502, 503, 504];

/** Most repeats of a failed request that was not throttled: an item that breaks Graph must not use up a lane's time. */
const MAX_FAILURES = 4;

/** What one piece of work may spend on requests: time, repeats and slots. */
export interface RequestBudget {
  /** Milliseconds since the epoch after which no wait may end. */
  readonly untilMs: number;
  /** Milliseconds since the epoch at which the work's requests are broken off, and none is sent any more. */
  readonly endsMs?: number;
  /** Called for each answer with its `Date`. */
  readonly answered?: (date: string | undefined) => void;
  /** Called for each 429. */
  readonly throttled?: () => void;
  /** Whether a failed request may be sent again. Imports may not: they are not idempotent. */
  readonly repeatable?: boolean;
  /** The gate of the mailbox that the work is about. Without it, a wait that Exchange asks for holds back one lane. */
  readonly gate?: MailboxGate;
  /** Aborted when the work is to send nothing new. What was sent is not broken off. */
  readonly stopping?: AbortSignal;
  /** Slots that its requests share, each held until the whole answer has arrived. Without it, there is no limit. */
  readonly slots?: Semaphore;
  /** Whether those slots are still the work's; asked before each request. */
  readonly isHeld?: () => boolean;
}

/** Spreads waits, so that lanes that were throttled together do not come back together. */
const jitter = (ms: number): number => ms * (0.8 + Math.random() * 0.4);

/** A full mailbox stays full, under whatever status Exchange says so. */
const isPassing = ({ status, bodyAsText }: PipelineResponse, asked: number | undefined): boolean =>
  (TRANSIENT.includes(status) || (status >= 400 && (asked ?? 0) > 0)) && !isFullCode(codeOf(bodyAsText));

const codeOf = (body: string | null | undefined): string => readErrorBody(body ?? "").code;

/**
 * Waits as long as Graph asks, or doubling from one second. When the wait would end after the deadline, there is no
 * other try, and the caller gets the last answer. A `Retry-After` makes any refusal one that passes.
 */
export const budgetedRetry = (budget: RequestBudget): RetryStrategy => ({
  name: "budgetedRetry",
  retry: ({ retryCount, response, responseError }) => {
    if (response !== undefined) budget.answered?.(response.headers.get("date"));
    const isThrottled = response?.status === 429;
    if (isThrottled) budget.throttled?.();
    const now = Date.now();
    const asked = retryAfterMs(response?.headers.get("retry-after"), now);
    const isTransient = response === undefined ? responseError !== undefined : isPassing(response, asked);
    if (budget.isHeld?.() === false) return { skipStrategy: true };
    if (!isTransient || !(isThrottled || (budget.repeatable ?? true))) return { skipStrategy: true };
    if (!isThrottled && retryCount >= MAX_FAILURES) return { skipStrategy: true };
    const waitMs = asked ?? jitter(Math.min(MAX_WAIT_MS, FIRST_WAIT_MS * 2 ** retryCount));
    return now + waitMs > Math.min(budget.untilMs, budget.endsMs ?? Number.POSITIVE_INFINITY)
      ? { skipStrategy: true }
      : { retryAfterInMs: waitMs };
  },
});
