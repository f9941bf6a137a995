import { HttpRequest } from "@azure/functions";
import { describe, expect, test } from "vitest";
import * as z from "zod";
import { accepted } from "../../../shared/http/accepted.ts";
import { readBody } from "../../../shared/http/body.ts";
import { invalidRequest, problemResponse } from "../../../shared/http/problem.ts";

const bodyOf = ({ body }: { body?: unknown }): unknown => JSON.parse(String(body));

describe("problem", () => {
  test("is an RFC 9457 problem with members of its own", () => {
    const answer = problemResponse(409, "already-running", "wait for it", { job: "backup-tenant" });

    expect(answer).toMatchObject({ status: 409, headers: { "content-type": "application/problem+json" } });
    expect(bodyOf(answer)).toEqual({
      type: "/problems/already-running",
      title: "already running",
      status: 409,
      detail: "wait for it",
      job: "backup-tenant",
    });
  });
});

describe("invalidRequest", () => {
  const Body = z.strictObject({ mailbox: z.string(), at: z.object({ hour: z.int() }).optional() });
  const errorsOf = (body: unknown) => {
    const { error } = Body.safeParse(body);
    if (error === undefined) throw new Error("accepted");
    return invalidRequest(error);
  };

  test("names each field that is wrong", () => {
    const answer = errorsOf({ mailbox: 7, at: { hour: 1.5 } });

    expect(answer.status).toBe(400);
    expect(bodyOf(answer)).toMatchObject({
      type: "/problems/invalid-request",
      errors: [{ field: "mailbox" }, { field: "at.hour" }],
    });
  });

  test("names the body when it is not an object, in one line", () => {
    const body = bodyOf(errorsOf(undefined)) as { detail: string };

    expect(body).toMatchObject({ errors: [{ field: "(body)" }] });
    expect(body.detail).not.toContain("\n");
  });
});

describe("accepted", () => {
  test("names the job and where to look at it", () => {
    const answer = accepted("backup-tenant", { window: 8 });

    expect(answer).toMatchObject({ status: 202, headers: { location: "/api/jobs/backup-tenant" } });
    expect(bodyOf(answer)).toEqual({ job: "backup-tenant", location: "/api/jobs/backup-tenant", window: 8 });
  });
});

describe("readBody", () => {
  test.each([
    ["", {}],
    [" \n", {}],
    ['{"a":1}', { a: 1 }],
    ["null", null],
    ["{", undefined],
  ])("of %j is %j", async (text, expected) => {
    const request = new HttpRequest({ method: "POST", url: "http://127.0.0.1/", body: { string: text } });
    expect(await readBody(request)).toEqual(expected);
  });
});
