import { setTimeout as delay } from "node:timers/promises";
import { RestError } from "@azure/core-rest-pipeline";
import { HttpRequest, InvocationContext } from "@azure/functions";
import { describe, expect, test } from "vitest";
import { GraphError } from "../../../shared/graph/graph-error.ts";
import { answered } from "../../../shared/http/answered.ts";

const WITHIN_MS = 20;

const call = async (handler: () => Promise<{ status: number }>, method: "GET" | "POST" = "GET", within = WITHIN_MS) => {
  const lines: string[] = [];
  const context = new InvocationContext({ invocationId: "inv-1", logHandler: (_, line) => lines.push(String(line)) });
  const request = new HttpRequest({ url: "http://vault.example/api/jobs/x", method });
  const answer = await answered(handler, within)(request, context);
  const { status, headers, body } = answer as { status: number; headers?: Record<string, string>; body?: string };
  return { status, headers, problem: body === undefined ? undefined : JSON.parse(body), lines };
};

const rejects = (error: unknown) => async () => {
  throw error;
};

describe("a call", () => {
  test("gets the handler's own answer", async () => {
    expect(await call(async () => ({ status: 202 }))).toMatchObject({ status: 202, lines: [] });
  });

  test("whose handler fails is answered 500, with the id under which the log has the failure", async () => {
    const { status, problem, lines } = await call(rejects(new Error("A job of no kind")));

    expect([status, problem.type, problem.id]).toEqual([500, "/problems/unforeseen", "inv-1"]);
    expect(problem.detail).not.toContain("A job of no kind");
    expect(problem.detail).not.toContain("took effect");
    expect(lines.join()).toContain("inv-1 failed: Error: A job of no kind");
  });

  test("whose handler throws before its first wait is answered as well", async () => {
    const { status } = await call(() => {
      throw new Error("At once");
    });
    expect(status).toBe(500);
  });

  test.each([
    ["storage that it cannot reach", new RestError("getaddrinfo ENOTFOUND", { code: "ENOTFOUND" }), "10"],
    ["a busy storage", new RestError("Busy", { statusCode: 503 }), "10"],
    ["Graph that asks for a minute", new GraphError("GET user", { status: 429, retryAfterMs: 60_000 }), "60"],
  ])("that meets %s is answered 503, with when to try again", async (_, error, retryAfter) => {
    const { status, headers, problem } = await call(rejects(error));

    expect([status, problem.type]).toEqual([503, "/problems/service-away"]);
    expect(headers?.["retry-after"]).toBe(retryAfter);
  });

  test.each([
    ["GET", "Try again later."],
    ["POST", "It is not known whether the call took effect"],
  ] as const)("%s that gets no answer in time is answered 503: %s", async (method, advice) => {
    const { status, headers, problem, lines } = await call(
      () => delay(60_000, { status: 200 }, { ref: false }),
      method,
    );

    expect([status, problem.type]).toEqual([503, "/problems/answer-late"]);
    expect(problem.detail).toContain(advice);
    expect(headers?.["retry-after"]).toBe("10");
    expect(lines.join()).toContain("inv-1");
  });

  test("whose handler fails after the answer leaves the failure in the log", async () => {
    let fail: (error: Error) => void = () => undefined;
    const failing = new Promise<{ status: number }>((_, reject) => {
      fail = reject;
    });
    const { status, lines } = await call(() => failing);
    fail(new Error("Too late"));
    await delay(1);

    expect(status).toBe(503);
    expect(lines.join()).toContain("Too late");
  });
});
