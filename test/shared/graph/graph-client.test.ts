import { describe, expect, test, vi } from "vitest";
import * as z from "zod";
import { graph } from "../../../shared/graph/graph-client.ts";
import { GraphError } from "../../../shared/graph/graph-error.ts";
import { collect } from "../../../shared/storage/blobs.ts";
import { eventually } from "../../support/eventually.ts";
import { aGraph, aServer, clientOf, TOKEN } from "./a-graph.ts";

const SECRET = "authtoken=s3cret";
const target = `/v1.0/users/ada?${SECRET}`;
const request = { operation: "GET user", target };
const Shape = z.looseObject({ id: z.string() });

const AT_ONCE = { "retry-after": "0" };

const failureOf = async (work: Promise<unknown>): Promise<GraphError> => {
  const error = await work.catch((failure: unknown) => failure);
  if (!(error instanceof GraphError)) throw new Error(`expected a GraphError, got ${String(error)}`);
  return error;
};

/** Everything an error carries into a log or a history. */
const spelt = (error: unknown): string =>
  error instanceof Error
    ? [error.message, error.stack, JSON.stringify(error), error.cause && spelt(error.cause)].join("\n")
    : String(error);

describe("a request", () => {
  test("carries the token, an id of its own and the program's name", async () => {
    const { client, asked } = await aGraph([{ body: { id: "1" } }]);

    await client.json({ ...request, headers: { prefer: "odata.maxpagesize=5" } }, Shape);
    await client.json({ ...request, method: "POST", body: { name: "é" } }, Shape);

    expect(asked[0]).toMatchObject({
      method: "GET",
      url: target,
      headers: { authorization: `Bearer ${TOKEN}`, accept: "application/json", prefer: "odata.maxpagesize=5" },
    });
    expect(asked[0]?.headers["user-agent"]).toMatch(/^vault\/1 /);
    expect(asked[1]).toMatchObject({ method: "POST", headers: { "content-type": "application/json" } });
    expect(JSON.parse(asked[1]?.body ?? "")).toEqual({ name: "é" });
    const ids = asked.map(({ headers }) => headers["client-request-id"]);
    expect(new Set(ids).size).toBe(2);
    expect(ids[0]).toMatch(/^[\da-f-]{36}$/);
  });

  test("uses a link of Graph unchanged", async () => {
    const { client, asked, origin } = await aGraph([{ body: { id: "1" } }]);

    await client.json({ operation: "GET items", target: `${origin}/v1.0/x?$skiptoken=a%2Fb` }, Shape);

    expect(asked[0]?.url).toBe("/v1.0/x?$skiptoken=a%2Fb");
  });

  test.each(["https://evil.example/v1.0/x", "//evil.example/x", "http://127.0.0.1:1/x"])(
    "does not go to %s",
    async (link) => {
      const { client, asked } = await aGraph([{ body: { id: "1" } }]);

      await expect(client.json({ operation: "GET items", target: `${link}?${SECRET}` }, Shape)).rejects.toThrow(
        /^Graph named a link on another host \([\w.:]+\): it is not followed$/,
      );
      expect(asked).toEqual([]);
    },
  );

  test("does not follow a redirect", async () => {
    const { client, asked } = await aGraph([{ status: 302, headers: { location: "/elsewhere" } }]);

    expect(await failureOf(client.json(request, Shape))).toMatchObject({ status: 302 });
    expect(asked).toHaveLength(1);
  });

  test("never sends the token in clear text to a remote host", async () => {
    const credential = { getToken: () => Promise.reject(new Error("asked for a token")) };
    const openGraph = graph({ endpoint: "https://127.0.0.1:1", credential, userAgent: "vault/1" });

    await expect(openGraph({ untilMs: 0 }).json(request, Shape)).rejects.toThrow("asked for a token");
  });
});

describe("an answer that is no success", () => {
  test.each([
    ["innerError", { error: { code: "ErrorItemNotFound", message: SECRET, innerError: { "request-id": "r-1" } } }],
    ["innererror", { error: { code: "ErrorItemNotFound", message: SECRET, innererror: { "request-id": "r-1" } } }],
  ])("becomes an error with the code and request id in %s", async (_, body) => {
    const { client } = await aGraph([{ status: 404, body }]);

    const error = await failureOf(client.json(request, Shape));
    expect(error).toMatchObject({ status: 404, code: "ErrorItemNotFound", requestId: "r-1", operation: "GET user" });
    expect(error.message).toBe("Graph answered 404 ErrorItemNotFound to GET user (request-id r-1)");
  });

  test("becomes an error with its code though the rest of it is odd", async () => {
    const { client } = await aGraph([{ status: 400, body: { error: { code: "X", message: null, innerError: [] } } }]);
    expect(await failureOf(client.json(request, Shape))).toMatchObject({ code: "X", requestId: undefined });
  });

  test("becomes an error with the request id of the header when the body names none", async () => {
    const { client } = await aGraph([{ status: 400, headers: { "request-id": "r-2" }, body: { Message: SECRET } }]);
    expect(await failureOf(client.json(request, Shape))).toMatchObject({ status: 400, code: "", requestId: "r-2" });
  });

  test.each(["", "<html>s3cret</html>", "null", '{"error":"s3cret"}'])(
    "becomes an error with a body of %j too",
    async (body) => {
      const { client } = await aGraph([{ status: 403, body }]);
      expect(await failureOf(client.json(request, Shape))).toMatchObject({ status: 403, code: "" });
    },
  );

  test("becomes an error with a code for the one known error of the import service", async () => {
    const body = { Message: "Invalid import session. The target session is expected in mailbox MBX:1." };
    const { client } = await aGraph([{ status: 409, body }]);
    expect(await failureOf(client.json(request, Shape))).toMatchObject({ code: "InvalidImportSession" });
  });
});

describe("the request budget", () => {
  test("allows repeats after 429, and counts each", async () => {
    const refusal = { status: 429, headers: AT_ONCE };
    const { client, asked, seen } = await aGraph([...Array.from({ length: 7 }, () => refusal), { body: { id: "1" } }]);

    expect(await client.json(request, Shape)).toEqual({ id: "1" });
    expect(seen.throttled).toBe(7);
    expect(new Set(asked.map(({ headers }) => headers["client-request-id"])).size).toBe(1);
  });

  test.each([500, 502, 503, 504])("allows four repeats after %i", async (status) => {
    const { client, asked, seen } = await aGraph([{ status, headers: AT_ONCE, body: "" }]);

    expect(await failureOf(client.json(request, Shape))).toMatchObject({ status, code: "" });
    expect(asked).toHaveLength(5);
    expect(seen.throttled).toBe(0);
  });

  test.each([400, 401, 403, 404, 409, 410, 413, 422, 501])("allows no repeat after %i", async (status) => {
    const { client, asked } = await aGraph([{ status, headers: AT_ONCE }]);

    expect(await failureOf(client.json(request, Shape))).toMatchObject({ status });
    expect(asked).toHaveLength(1);
  });

  test("ends before a wait beyond its deadline; the error says how long Graph asked to wait", async () => {
    const answer = { status: 429, headers: { "retry-after": "600" } };
    const { client, asked, seen } = await aGraph([answer], { untilMs: Date.now() + 5_000 });

    expect(await failureOf(client.json(request, Shape))).toMatchObject({ status: 429, retryAfterMs: 600_000 });
    expect(asked).toHaveLength(1);
    expect(seen.throttled).toBe(1);
  });

  test("allows the wait that Graph asks for", async () => {
    const script = [{ status: 429, headers: { "retry-after": "17" } }, { body: { id: "1" } }];
    const { client, asked, seen } = await aGraph(script);
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });

    const answer = client.json(request, Shape);
    await eventually("refusal", () => seen.throttled || undefined);
    const timers = vi.getTimerCount();
    vi.advanceTimersByTime(16_999);
    const early = vi.getTimerCount();
    vi.advanceTimersByTime(1);

    expect([early, vi.getTimerCount()]).toEqual([timers, timers - 1]);
    expect(await answer).toEqual({ id: "1" });
    expect(asked).toHaveLength(2);
  });
});

describe("a connection", () => {
  test("that breaks before the answer is tried again", async () => {
    const { client, asked } = await aGraph([{ reset: "before" }, { body: { id: "1" } }]);

    expect(await client.json(request, Shape)).toEqual({ id: "1" });
    expect(asked).toHaveLength(2);
  });

  test("that keeps breaking is a GraphError of status 0", async () => {
    const { client } = await aGraph([{ reset: "before" }], { untilMs: 0 });

    const error = await failureOf(client.json(request, Shape));
    expect(error).toMatchObject({ status: 0, code: "ECONNRESET" });
    expect(error.message).toBe("Graph did not answer ECONNRESET to GET user");
  });

  test("that is refused is one too", async () => {
    const { client } = clientOf("http://127.0.0.1:1", { untilMs: 0 });
    expect(await failureOf(client.json(request, Shape))).toMatchObject({ status: 0, code: "ECONNREFUSED" });
  });

  test("that breaks amid a streamed body throws while it is read", async () => {
    const body = "x".repeat(100_000);
    const { client } = await aGraph([{ body, reset: "amid" }]);

    const stream = await client.stream(request);
    await expect(collect(stream)).rejects.toThrow();
  });
});

describe("an answer that stalls amid its body", () => {
  const stalled = async () => {
    const { origin } = await aServer({ stalls: true, body: { id: "1" } });
    const credential = { getToken: async () => ({ token: TOKEN, expiresOnTimestamp: Date.now() + 3_600_000 }) };
    const open = graph({ endpoint: origin, credential, userAgent: "vault/1", wholeAnswerMs: 200 });
    return open({ untilMs: Date.now() });
  };

  test("is a GraphError of status 0 in the end", async () => {
    const client = await stalled();
    expect(await failureOf(client.json(request, Shape))).toMatchObject({ name: "GraphError", status: 0 });
  });

  test("throws in the end while it is read as a stream", async () => {
    const reading = stalled().then((client) => client.stream(request));
    await expect(reading.then(collect)).rejects.toThrow();
  });
});

describe("a success", () => {
  test("that is streamed is returned unchanged", async () => {
    const { client } = await aGraph([{ body: "y".repeat(100_000) }]);
    expect((await collect(await client.stream(request))).toString()).toBe("y".repeat(100_000));
  });

  test("of another shape throws an error that names the fields", async () => {
    const { client } = await aGraph([{ body: { id: 7, importUrl: SECRET } }]);
    await expect(client.json(request, Shape)).rejects.toThrow(
      "Graph's answer to GET user is not of the expected shape at id",
    );
  });

  test("without content is parsed as null", async () => {
    const { client } = await aGraph([{ status: 204, body: "" }]);
    expect(await client.json(request, z.null())).toBeNull();
  });
});

test.each<[string, Parameters<typeof aGraph>[0]]>([
  ["an error body", [{ status: 400, body: { error: { code: "Bad", message: SECRET } } }]],
  ["no JSON", [{ body: `"${SECRET}` }]],
  ["another shape", [{ body: { secret: SECRET } }]],
  ["a broken connection", [{ reset: "before" }]],
  ["a body that breaks off", [{ body: { id: SECRET }, reset: "amid" }]],
])("an error from %s quotes neither token nor URL nor body", async (_, answers) => {
  const { client, origin } = await aGraph(answers, { untilMs: 0 });

  const error = await client.json(request, Shape).catch((failure: unknown) => failure);

  expect(error).toBeInstanceOf(Error);
  for (const secret of [TOKEN, SECRET, origin, "/v1.0/users"]) expect(spelt(error)).not.toContain(secret);
});
