import { createHttpHeaders, createPipelineRequest, RestError } from "@azure/core-rest-pipeline";
import fc from "fast-check";
import { afterEach, describe, expect, test, vi } from "vitest";
import { budgetedRetry, type RequestBudget } from "../../../shared/graph/request-budget.ts";
import { retryAfterMs } from "../../../shared/graph/retry-after.ts";

const NOW = Date.parse("2026-11-22T01:00:00Z");

describe("retryAfterMs", () => {
  test.each([
    ["0", 0],
    ["120", 120_000],
    [" 7 ", 7_000],
    ["Sun, 22 Nov 2026 01:00:30 GMT", 30_000],
    ["Sun, 22 Nov 2026 00:59:00 GMT", 0],
    ["3601", 3_600_000],
    ["99999999999999999", 3_600_000],
    ["Mon, 23 Nov 2026 01:00:00 GMT", 3_600_000],
    [undefined, undefined],
    ["", undefined],
    ["soon", undefined],
    ["-1", undefined],
    ["1.5", undefined],
  ])("of %j is %j", (header, expected) => {
    expect(retryAfterMs(header, NOW)).toBe(expected);
  });
});

describe("budgetedRetry", () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  /** What the strategy does after the nth try: a wait in milliseconds, or undefined when it gives up. */
  const waitAfter = (
    answer: { status: number; retryAfter?: string; body?: string } | "nothing",
    { tries = 1, ...budget }: Partial<RequestBudget> & { tries?: number } = {},
  ): number | undefined => {
    vi.useFakeTimers({ now: NOW, toFake: ["Date"] });
    const request = createPipelineRequest({ url: "http://127.0.0.1/" });
    const outcome = budgetedRetry({ untilMs: NOW + 3_600_000, ...budget }).retry({
      retryCount: tries - 1,
      ...(answer === "nothing"
        ? { responseError: new RestError("reset", { code: "ECONNRESET" }) }
        : {
            response: {
              request,
              status: answer.status,
              bodyAsText: answer.body ?? null,
              headers: createHttpHeaders(answer.retryAfter === undefined ? {} : { "retry-after": answer.retryAfter }),
            },
          }),
    });
    return outcome.skipStrategy ? undefined : outcome.retryAfterInMs;
  };

  test("doubles from a second to a minute, 20 % more or less, when Graph names no wait", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 50 }), (tries) => {
        const meant = Math.min(60_000, 1_000 * 2 ** (tries - 1));
        const waitMs = waitAfter({ status: 429 }, { tries });
        expect(waitMs).toBeGreaterThanOrEqual(meant * 0.8);
        expect(waitMs).toBeLessThanOrEqual(meant * 1.2);
      }),
    );
  });

  test("waits as long as Graph asks, in both forms", () => {
    expect(waitAfter({ status: 429, retryAfter: "17" })).toBe(17_000);
    expect(waitAfter({ status: 503, retryAfter: "Sun, 22 Nov 2026 01:00:30 GMT" })).toBe(30_000);
  });

  test.each([
    ["just enough", 17_000, 17_000],
    ["too little", 16_999, undefined],
  ])("with %s left waits %s ms of 17 s: %s", (_, leftMs, expected) => {
    expect(waitAfter({ status: 429, retryAfter: "17" }, { untilMs: NOW + leftMs })).toBe(expected);
  });

  test("stops after four repeats of a failure, but not of a 429", () => {
    expect(waitAfter({ status: 503 }, { tries: 4 })).toBeGreaterThan(0);
    expect(waitAfter({ status: 503 }, { tries: 5 })).toBeUndefined();
    expect(waitAfter("nothing", { tries: 5 })).toBeUndefined();
    expect(waitAfter({ status: 429 }, { tries: 50 })).toBeGreaterThan(0);
  });

  test("repeats a request that must not happen twice only after a 429", () => {
    expect(waitAfter({ status: 429 }, { repeatable: false })).toBeGreaterThan(0);
    expect(waitAfter({ status: 503 }, { repeatable: false })).toBeUndefined();
    expect(waitAfter("nothing", { repeatable: false })).toBeUndefined();
  });

  test.each([400, 403, 409, 412, 423])("waits after %i as long as is asked", (status) => {
    expect(waitAfter({ status, retryAfter: "17" })).toBe(17_000);
    expect(waitAfter({ status })).toBeUndefined();
  });

  test("does not wait for a full mailbox, under any status", () => {
    const body = JSON.stringify({ error: { code: "ErrorQuotaExceeded" } });
    for (const status of [429, 500, 503]) expect(waitAfter({ status, retryAfter: "17", body })).toBeUndefined();
  });

  test("counts each 429, also the last one", () => {
    const throttled = vi.fn();
    waitAfter({ status: 429 }, { throttled });
    waitAfter({ status: 429, retryAfter: "9999" }, { throttled, untilMs: NOW });
    waitAfter({ status: 503 }, { throttled });
    expect(throttled).toHaveBeenCalledTimes(2);
  });
});
