import type { DurableClient } from "durable-functions";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { startUnlessKnown } from "../../../shared/durable/start-once.ts";
import { accepted } from "../../../shared/http/accepted.ts";
import { readBody } from "../../../shared/http/body.ts";
import type { SignedInHandler } from "../../../shared/http/guard.ts";
import { startsOnce } from "../../../shared/http/idempotency.ts";
import { json, problemResponse } from "../../../shared/http/problem.ts";
import { newStart, startedId } from "../../../shared/http/start.ts";
import { aFakeHub, ask } from "../../functions/fake-hub.ts";
import { memoryBlobs } from "../storage/memory-blobs.ts";

const DAY = 24 * 3_600_000;
const ADA = { id: "ada", roles: [] };

/** An endpoint that starts a job of its own at each call, and then does what a test says. */
const anEndpoint = (after: () => Promise<void> = async () => undefined) => {
  vi.useFakeTimers({ toFake: ["Date"], now: new Date("2026-11-22T01:00:00Z") });
  onTestFinished(() => void vi.useRealTimers());
  const work = memoryBlobs();
  const hub = aFakeHub();
  const listed = new Set<string>();
  const client = hub.clientOf({} as never);
  const bodies: unknown[] = [];
  const start: SignedInHandler = async (request, _, __, own = newStart()) => {
    const body = await readBody(request);
    bodies.push(body);
    if (body === undefined) return problemResponse(400, "invalid-request", "No JSON.");
    const job = `restore-${startedId(own)}`;
    await startUnlessKnown(client, "restore-mailbox", { instanceId: job, input: body });
    listed.add(job);
    await after();
    return accepted(job, { calls: bodies.length });
  };
  const getStatus: DurableClient["getStatus"] = async (id, options) => {
    if (!listed.has(id)) throw new Error("HTTP 404");
    return client.getStatus(id, options);
  };
  const once = startsOnce({ work, clientOf: () => ({ getStatus }) as DurableClient });
  const callAs =
    (handler: SignedInHandler) =>
    (key: string | undefined, body: unknown, principal: object = ADA) =>
      ask((request, context) => once(handler)(request, context, principal as typeof ADA), {
        method: "POST",
        headers: key === undefined ? {} : { "idempotency-key": key },
        body,
      });
  return { ...hub, work, bodies, post: callAs(start), callAs, forget: () => listed.clear() };
};

describe("a call with an Idempotency-Key", () => {
  test("that is repeated returns the first answer, and starts nothing", async () => {
    const { post, started, bodies } = anEndpoint();

    const first = await post("k1", { a: 1 });
    vi.setSystemTime(Date.now() + 20 * DAY);
    const second = await post("k1", { a: 1 });

    expect(first.status).toBe(202);
    expect(second).toEqual(first);
    expect(started).toHaveLength(1);
    expect(bodies).toEqual([{ a: 1 }]);
  });

  test("is refused when the key came with another body: 422", async () => {
    const { post, started } = anEndpoint();
    await post("k1", { a: 1 });

    expect(await post("k1", { a: 2 })).toMatchObject({
      status: 422,
      body: { type: "/problems/idempotency-key-reused" },
    });
    expect(started).toHaveLength(1);
  });

  test.each([
    ["another key", "k2", ADA],
    ["another caller", "k1", { ...ADA, id: "bo" }],
    ["no key", undefined, ADA],
  ])("shares nothing with one of %s", async (_, key, principal) => {
    const { post, started } = anEndpoint();
    await post("k1", { a: 1 });
    await post(key, { a: 1 }, principal);

    expect(started).toHaveLength(2);
  });

  test("has the same job when the first call was killed after it had started it", async () => {
    let kills = 1;
    const { post, started } = anEndpoint(async () => {
      if (kills-- > 0) throw new Error("killed");
    });
    await expect(post("k1", { a: 1 })).rejects.toThrow("killed");

    const again = await post("k1", { a: 1 });

    expect(again.body).toMatchObject({ job: started[0]?.instanceId });
    expect(started).toHaveLength(1);
    expect(await post("k1", { a: 1 })).toEqual(again);
    expect((await post("k1", { a: 2 })).status).toBe(422);
  });

  test("has the same job and answer as others at the same moment", async () => {
    const { post, started } = anEndpoint();

    const answers = await Promise.all(Array.from({ length: 5 }, () => post("k1", { a: 1 })));

    expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
    expect(started).toHaveLength(1);
  });

  test("is a new one once the job of the first is not listed any more", async () => {
    const { post, started, forget } = anEndpoint();
    await post("k1", { a: 1 });
    vi.setSystemTime(Date.now() + 31 * DAY);
    forget();

    expect((await post("k1", { a: 2 })).status).toBe(202);
    expect(started).toHaveLength(2);
  });

  test("remembers a job that is not listed yet", async () => {
    const { post, started, forget } = anEndpoint();
    const first = await post("k1", { a: 1 });
    forget();

    expect(await post("k1", { a: 1 })).toEqual(first);
    expect(started).toHaveLength(1);
  });

  test("that started nothing is not remembered", async () => {
    const { post, started, callAs, work } = anEndpoint();

    expect((await post("k1", "no JSON")).status).toBe(400);
    expect((await callAs(() => json(200, { results: [] }))("k1", { a: 1 })).status).toBe(200);
    expect(work.blobs.size).toBe(0);
    expect((await post("k1", { a: 1 })).status).toBe(202);
    expect(started).toHaveLength(1);
  });

  test.each(["", "a b", "ä", "x".repeat(256)])("is refused for what is no key: %j", async (key) => {
    const { post, started } = anEndpoint();

    expect(await post(key, {})).toMatchObject({ status: 400, body: { type: "/problems/invalid-idempotency-key" } });
    expect(started).toEqual([]);
  });

  test("leaves neither the key nor the caller in the name of a blob", async () => {
    const { post, work } = anEndpoint();
    await post("ticket-4711", { a: 1 });

    expect([...work.blobs.keys()].join()).toMatch(/^starts\/[0-9a-f]{64}\.json$/);
  });
});
