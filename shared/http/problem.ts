import type { HttpResponseInit } from "@azure/functions";
import * as z from "zod";

/**
 * An RFC 9457 problem. `type` is a relative reference that names the kind; `detail` says what to do, and never repeats
 * a secret or a token of the request.
 */
export const problem = (
  status: number,
  kind: string,
  detail: string,
  members: Readonly<Record<string, unknown>> = {},
): HttpResponseInit => ({
  status,
  headers: { "content-type": "application/problem+json" },
  body: JSON.stringify({ type: `/problems/${kind}`, title: kind.replaceAll("-", " "), status, detail, ...members }),
});

/** 400 that names each field that is wrong, and how. */
export const invalidRequest = (error: z.ZodError): HttpResponseInit =>
  problem(400, "invalid-request", z.prettifyError(error).replaceAll("\n", " "), {
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
