import type { HttpResponseInit } from "@azure/functions";
import * as z from "zod";

/**
 * An RFC 9457 problem. `type` is a relative reference that names the kind; `detail` says what to do, and never repeats
 * a secret or a token of the request. `retryAfterSeconds` is in the header `Retry-After` too.
 */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly retryAfterSeconds?: number;
  readonly [member: string]: unknown;
}

/** A problem of a kind, which its type and title name. */
export const problem = (
  status: number,
  kind: string,
  detail: string,
  members: Readonly<Record<string, unknown>> = {},
): Problem => ({ type: `/problems/${kind}`, title: kind.replaceAll("-", " "), status, detail, ...members });

/** The response with a problem. */
export const respondWith = (problem: Problem): HttpResponseInit => ({
  status: problem.status,
  headers: {
    "content-type": "application/problem+json",
    ...(problem.retryAfterSeconds === undefined ? {} : { "retry-after": String(problem.retryAfterSeconds) }),
  },
  body: JSON.stringify(problem),
});

/** The response with a problem of a kind. */
export const problemResponse = (...args: Parameters<typeof problem>): HttpResponseInit => respondWith(problem(...args));

/** 400 that names each wrong field, and what is wrong with it. */
export const invalidRequest = (error: z.ZodError): HttpResponseInit =>
  problemResponse(400, "invalid-request", z.prettifyError(error).replaceAll("\n", " "), {
    errors: error.issues.map((issue) => ({ field: issue.path.join(".") || "(body)", message: issue.message })),
  });

export const json = (
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): HttpResponseInit => ({
  status,
  headers: { "content-type": "application/json", ...headers },
  body: JSON.stringify(body),
});
