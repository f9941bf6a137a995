import { setTimeout as delay } from "node:timers/promises";
import type { HttpHandler, HttpResponseInit, InvocationContext } from "@azure/functions";
import { outageOf } from "../outage.ts";
import { problemResponse } from "./problem.ts";

/** Within this a caller has an answer; what takes longer is a job. Our own choice: gateways give up after a minute. */
export const ANSWER_MS = 13_000;

/** What a caller is asked to wait where the service that is away names no time. Our own choice. */
const RETRY_AFTER_SECONDS = 10;

const LATE = Symbol("late");

/**
 * Lets every call end in an answer, within `withinMs`. The host gives the caller of a handler that throws nothing for
 * four minutes (Azure/azure-functions-nodejs-library#324), and one that waits for storage waits with it.
 *
 * 503 with Retry-After while Graph or storage is away, or when nothing came in time: what the call began may still take
 * effect, and the problem says so of one that changes something. 500 for what nobody foresaw, with the id under which
 * the log has it.
 */
export const answered =
  (handler: HttpHandler, withinMs: number): HttpHandler =>
  async (request, context) => {
    const changes = request.method !== "GET";
    const answer = attempt(handler, request, context, changes);
    const timer = new AbortController();
    const late = delay(withinMs, LATE, { signal: timer.signal }).catch(() => LATE);
    const first = await Promise.race([answer, late]);
    timer.abort();
    if (first !== LATE) return first as HttpResponseInit;
    context.error(`No answer within ${withinMs} ms; this invocation is ${context.invocationId}`);
    return away("answer-late", `There was no answer within ${withinMs / 1_000} s.`, changes, RETRY_AFTER_SECONDS);
  };

const attempt = async (
  handler: HttpHandler,
  request: Parameters<HttpHandler>[0],
  context: InvocationContext,
  changes: boolean,
): Promise<HttpResponseInit> => {
  try {
    return (await handler(request, context)) as HttpResponseInit;
  } catch (error) {
    const id = context.invocationId;
    context.error(`Request ${id} failed: ${error instanceof Error ? error.stack : String(error)}`);
    const outage = outageOf(error);
    if (outage !== undefined) {
      const seconds = Math.ceil(outage.askedMs / 1_000) || RETRY_AFTER_SECONDS;
      return away("service-away", "Graph, or the app's storage, cannot be reached at the moment.", changes, seconds);
    }
    const advice = `${changes ? `${UNKNOWN} ` : ""}Tell an operator the id, under which the app's log says more.`;
    return problemResponse(500, "unforeseen", `Something failed that the app did not foresee. ${advice}`, { id });
  }
};

/** For a call that may have taken effect. */
const UNKNOWN =
  "It is not known whether the call took effect: look at the job (GET /api/jobs/{id}), or repeat it with the same " +
  "Idempotency-Key.";

const away = (kind: string, what: string, changes: boolean, retryAfterSeconds: number): HttpResponseInit =>
  problemResponse(503, kind, `${what} ${changes ? UNKNOWN : "Try again later."}`, { retryAfterSeconds });
