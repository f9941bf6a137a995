import { HttpRequest, type HttpResponseInit } from "@azure/functions";
import { describe, expect, test } from "vitest";
import { bodyBytes, MAX_BODY_BYTES, readBody, withinLimit } from "../../../shared/http/body.ts";
import type { SignedInHandler } from "../../../shared/http/guard.ts";
import { aQuietContext } from "../../functions/fake-hub.ts";

const MEGABYTE = 1024 * 1024;
const NOBODY = { id: "nobody", roles: [] };

/** A request whose body arrives in pieces of a megabyte, and what was read of it. */
const aRequest = (
  bytes: number,
  { headers = {}, stopsAt = Number.POSITIVE_INFINITY, breaksAt = Number.POSITIVE_INFINITY } = {},
) => {
  const read = { bytes: 0, ended: false };
  const body = new ReadableStream<Uint8Array>(
    {
      pull: (controller) => {
        if (read.bytes >= stopsAt) return new Promise(() => undefined);
        if (read.bytes >= breaksAt) return controller.error(new Error("aborted"));
        const next = Math.min(MEGABYTE, bytes - read.bytes);
        read.bytes += next;
        read.ended = next === 0;
        if (next === 0) controller.close();
        else controller.enqueue(new Uint8Array(next).fill(0x20));
      },
      cancel: () => expect.fail("the connection would be cut before the answer"),
    },
    { highWaterMark: 0 },
  );
  const request = new HttpRequest({ method: "POST", url: "http://localhost/api/any", headers, body: { string: "" } });
  Object.defineProperty(request, "body", { value: body });
  return { request, read };
};

const call = async (request: HttpRequest, withinMs?: number) => {
  const calls: number[] = [];
  const handler: SignedInHandler = async (own) => {
    calls.push((await bodyBytes(own)).length);
    return { status: 200 };
  };
  const { status, headers, body } = (await withinLimit(handler, withinMs)(
    request,
    aQuietContext(),
    NOBODY,
  )) as HttpResponseInit;
  return { status, headers, problem: body === undefined ? undefined : JSON.parse(String(body)), calls };
};

const TOO_LARGE = {
  status: 413,
  headers: { "content-type": "application/problem+json" },
  problem: { type: "/problems/body-too-large", maxBytes: 4_194_304, detail: expect.stringContaining("/api/uploads") },
  calls: [],
};

describe("a body", () => {
  test("of 4 MB passes, with and without its length", async () => {
    for (const headers of [{}, { "content-length": String(MAX_BODY_BYTES) }])
      expect(await call(aRequest(MAX_BODY_BYTES, { headers }).request)).toMatchObject({
        status: 200,
        calls: [4_194_304],
      });
  });

  test("of one byte more is refused as it arrives: 413", async () => {
    expect(await call(aRequest(MAX_BODY_BYTES + 1).request)).toMatchObject(TOO_LARGE);
  });

  test("that announces one byte more is refused, though not a byte of it arrives", async () => {
    const { request } = aRequest(0, { headers: { "content-length": String(MAX_BODY_BYTES + 1) }, stopsAt: 0 });

    expect(await call(request, 20)).toMatchObject(TOO_LARGE);
  });

  test("that is refused passes by, so that its caller comes to read the answer", async () => {
    const { request, read } = aRequest(50 * MEGABYTE);

    expect(await call(request)).toMatchObject(TOO_LARGE);
    expect(read).toEqual({ bytes: 50 * MEGABYTE, ended: true });
  });

  test("that is too large and does not end is refused for that", async () => {
    const { request } = aRequest(50 * MEGABYTE, { stopsAt: 10 * MEGABYTE });

    expect(await call(request, 500)).toMatchObject(TOO_LARGE);
  });

  test("that is sent by half is refused: 408", async () => {
    const { request } = aRequest(2 * MEGABYTE, { stopsAt: MEGABYTE });

    expect(await call(request, 20)).toMatchObject({ status: 408, problem: { type: "/problems/body-late" }, calls: [] });
  });

  test("that breaks off reaches no handler", async () => {
    const { request } = aRequest(2 * MEGABYTE, { breaksAt: MEGABYTE });

    expect(await call(request)).toMatchObject({ status: 408, calls: [] });
  });

  test("is read once, and is JSON, empty, or neither", async () => {
    const of = (text: string) =>
      new HttpRequest({ method: "POST", url: "http://localhost/api/any", body: { string: text } });
    const request = of('\ufeff{"a": 1}');

    expect([await readBody(request), await readBody(request)]).toEqual([{ a: 1 }, { a: 1 }]);
    expect([await readBody(of(" ")), await readBody(of("{"))]).toEqual([{}, undefined]);
  });
});
