import { once } from "node:events";
import http from "node:http";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { aHost, anApp, type RunningHost, removeFolders, until } from "./fixture.ts";

const APP = `
  import { app } from "@azure/functions";

  const describe = async (request, context) => ({
    jsonBody: {
      name: context.functionName,
      method: request.method,
      url: request.url,
      params: request.params,
      query: [...request.query],
      header: request.headers.get("x-given"),
      body: Buffer.from(await request.arrayBuffer()).toString("base64"),
    },
  });

  app.http("by-id", { methods: ["GET"], route: "users/{id:int}", handler: describe });
  app.http("by-name", { methods: ["GET"], route: "users/{name:alpha:minlength(3)}", handler: describe });
  app.http("me", { methods: ["GET", "POST"], route: "users/me", handler: describe });
  app.http("optional", { methods: ["GET"], route: "optional/{page?}", handler: describe });
  app.http("files", { methods: ["GET", "PUT"], route: "files/{*path}", handler: describe });
  app.http("unrouted", { handler: describe });

  app.http("bytes", { methods: ["POST"], handler: async (request) => ({
    status: 201,
    headers: { "content-type": "application/x-pst", "x-answer": "42" },
    cookies: [
      { name: "a", value: "b c", path: "/", secure: true, sameSite: "None", maxAge: 60 },
      { name: "d", value: "e" },
    ],
    body: Buffer.from(await request.arrayBuffer()),
  }) });
  app.http("throws", { handler: async () => { throw new Error("it does not work"); } });
  app.http("nothing", { handler: async () => undefined });
  app.http("text", { handler: async () => ({ body: "hello" }) });
  app.http("streamed", {
    handler: async () => ({
      body: new ReadableStream({
        start(controller) {
          for (const text of ["one ", "two"]) controller.enqueue(Buffer.from(text));
          controller.close();
        },
      }),
    }),
  });
  app.http("says", { handler: async (_, context) => {
    context.warn("from the", "function");
    console.log("from the console");
    context.debug("not heard");
    return { jsonBody: { setting: process.env.GREETING, hostname: process.env.WEBSITE_HOSTNAME } };
  } });
  app.http("exits", { handler: async () => process.exit(3) });
`;

let host: RunningHost;

beforeAll(async () => {
  host = await aHost(await anApp(APP), { settings: { GREETING: "hello" } });
});

afterAll(async () => {
  await host.stop();
  await removeFolders();
});

describe("routes", () => {
  test.each([
    ["GET", "/api/users/12", "by-id", { id: "12" }],
    ["GET", "/api/users/anna", "by-name", { name: "anna" }],
    ["GET", "/api/users/me", "me", {}],
    ["GET", "/API/Users/ME/", "me", {}],
    ["GET", "/api/optional", "optional", {}],
    ["GET", "/api/optional/2", "optional", { page: "2" }],
    ["GET", "/api/files/a/b%20c/d%2Fe.txt", "files", { path: "a/b c/d%2Fe.txt" }],
    ["GET", "/api/files", "files", {}],
    ["POST", "/api/unrouted", "unrouted", {}],
  ])("%s %s runs %s", async (method, path, name, params) => {
    const response = await host.call(path, { method });
    expect(await response.json()).toMatchObject({ name, params, method });
  });

  test.each([
    ["GET", "/api/users/99999999999"],
    ["GET", "/api/users/ab"],
    ["GET", "/api/users"],
    ["GET", "/users/12"],
    ["DELETE", "/api/users/me"],
    ["GET", "/api/nowhere"],
  ])("%s %s is not found", async (method, path) => {
    const response = await host.call(path, { method });
    expect([response.status, await response.text()]).toEqual([404, ""]);
  });

  test("refuses a path that is not percent-encoded text", async () => {
    expect((await host.call("/api/users/%ff")).status).toBe(400);
  });
});

describe("a request", () => {
  test("reaches the function with its query, headers and body", async () => {
    const response = await host.call("/api/files/x?a=1&a=2&b=&c=%C3%A9", {
      method: "PUT",
      headers: { "x-given": "yes" },
      body: new Uint8Array([0, 255, 128]),
    });
    expect(await response.json()).toMatchObject({
      url: `${host.url}/api/files/x?a=1&a=2&b=&c=%C3%A9`,
      query: [
        ["a", "1,2"],
        ["b", ""],
        ["c", "é"],
      ],
      header: "yes",
      body: Buffer.from([0, 255, 128]).toString("base64"),
    });
  });
});

describe("a body over 100 MiB", () => {
  test.each([
    ["announced", { "content-length": 104_857_601 }, Buffer.alloc(1)],
    ["sent", { "transfer-encoding": "chunked" }, Buffer.alloc(104_857_601)],
  ])("is refused when it is %s", async (_, headers, body) => {
    const request = http.request(`${host.url}/api/bytes`, { method: "POST", headers });
    request.on("error", () => {});
    request.write(body);
    const [response] = await once(request, "response");
    expect(response.statusCode).toBe(413);
    request.destroy();
  });
});

describe("a response", () => {
  test("has status, headers, cookies and every byte", async () => {
    const body = new Uint8Array(300_000).map((_, index) => index % 256);
    const response = await host.call("/api/bytes", { method: "POST", body });

    expect(response.status).toBe(201);
    expect(response.headers.get("content-type")).toBe("application/x-pst");
    expect(response.headers.get("x-answer")).toBe("42");
    expect(response.headers.getSetCookie()).toEqual(["a=b%20c; max-age=60; path=/; secure; samesite=none", "d=e"]);
    expect(Buffer.from(await response.arrayBuffer()).equals(body)).toBe(true);
  });

  test.each([
    ["/api/nothing", 204, ""],
    ["/api/text", 200, "hello"],
    ["/api/streamed", 200, "one two"],
    ["/api/throws", 500, ""],
  ])("of %s is %i %j", async (path, status, text) => {
    const response = await host.call(path);
    expect([response.status, await response.text()]).toEqual([status, text]);
  });
});

describe("the log", () => {
  test("shows a failure with the function's name and the error's message", async () => {
    await host.call("/api/throws");
    const entry = host.log.find(({ level, functionName }) => level === "error" && functionName === "throws");
    expect(entry?.message).toMatch(/^Executed 'Functions.throws' \(Failed, .*it does not work/s);
  });

  test("has the lines of a function by level, and those of its process", async () => {
    await host.call("/api/says");
    await until(() => host.log.some(({ message }) => message === "from the console"));
    expect(host.log).toContainEqual({
      level: "warning",
      category: "Function.says.User",
      functionName: "says",
      message: "from the function",
    });
    expect(host.log.map(({ message }) => message)).not.toContain("not heard");
  });
});

describe("the app's process", () => {
  test("has the settings and the host's address in its environment", async () => {
    const response = await host.call("/api/says");
    expect(await response.json()).toEqual({ setting: "hello", hostname: new URL(host.url).host });
  });

  test("is started again when it ends in the middle of a request, which answers 500", async () => {
    const before = host.pids();
    expect((await host.call("/api/exits")).status).toBe(500);
    expect((await host.call("/api/text")).status).toBe(200);
    expect(host.pids()).not.toEqual(before);
  });
});
