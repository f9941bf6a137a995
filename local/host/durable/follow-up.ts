import type { Call, Retry, Task, TaskMessage } from "./record.ts";

const DAY_MS = 86_400_000;

/** The timer lengths of the Azure Storage provider, by which both executor and extension split timers. */
const MAX_TIMER_MS = 6 * DAY_MS;
const LONG_TIMER_STEP_MS = 3 * DAY_MS;

/** A timer up to `finalAtMs`, or the first step of it. */
export const timerUntil = (finalAtMs: number, nowMs: number): Call =>
  finalAtMs - nowMs > MAX_TIMER_MS
    ? { kind: "timer", fireAtMs: nowMs + LONG_TIMER_STEP_MS, finalAtMs }
    : { kind: "timer", fireAtMs: finalAtMs, finalAtMs };

/**
 * The call that the replay executor waits for after this outcome, without an action for it: the pause after a failed
 * attempt, the next attempt, or the next step of a long timer (durable-functions 3.5, RetryableTask and LongTimerTask).
 */
export const followUpOf = (message: TaskMessage, task: Task, nowMs: number): Call | undefined => {
  if (task.kind !== "timer") return message.kind === "failed" ? pauseAfter(task, nowMs) : undefined;
  if (task.retryOf !== undefined) return nextAttempt(task.retryOf);
  const isStep = task.root !== undefined || task.finalAtMs !== task.fireAtMs;
  return isStep && task.finalAtMs !== undefined && task.finalAtMs > nowMs
    ? timerUntil(task.finalAtMs, nowMs)
    : undefined;
};

type Retried = NonNullable<Extract<Call, { kind: "timer" }>["retryOf"]>;

/** After the last attempt the executor waits as well, but for a timer that fires at once. */
const pauseAfter = (task: Exclude<Task, { kind: "timer" }>, nowMs: number): Call | undefined => {
  const { id: _, root: __, ...call } = task;
  if (call.retry === undefined) return undefined;
  const waitMs = call.retry.attempt < call.retry.maxAttempts ? pauseMs(call.retry) : 0;
  return { kind: "timer", fireAtMs: nowMs + waitMs, retryOf: call };
};

/** As DurableTask.Core's RetryInterceptor computes it. */
const pauseMs = ({ firstIntervalMs, backoff, attempt, maxIntervalMs = Number.POSITIVE_INFINITY }: Retry): number =>
  Math.round(Math.min(firstIntervalMs * backoff ** (attempt - 1), maxIntervalMs));

const nextAttempt = (call: Retried): Call | undefined => {
  if (call.retry === undefined || call.retry.attempt >= call.retry.maxAttempts) return undefined;
  return { ...call, retry: { ...call.retry, attempt: call.retry.attempt + 1 } };
};
