import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { aHost, anApp, type RunningHost, removeFolders } from "./fixture.ts";

const APP = `
  import { app } from "@azure/functions";

  app.setup({ enableHttpStream: true });
  app.http("upper", { methods: ["POST"], route: "upper/{to}", handler: async (request) => ({
    status: 201,
    headers: { "x-to": request.params.to, "x-given": request.headers.get("x-given"), "x-url": request.url },
    body: request.body.pipeThrough(new TransformStream({
      transform: (chunk, out) => out.enqueue(Buffer.from(Buffer.from(chunk).toString().toUpperCase())),
    })),
  }) });
  app.http("throws", { handler: async () => { throw new Error("no"); } });
  app.http("exits", { handler: async () => process.exit(3) });
`;

let host: RunningHost;

beforeAll(async () => {
  host = await aHost(await anApp(APP));
});

afterAll(async () => {
  await host.stop();
  await removeFolders();
});

describe("an app that takes its requests as streams", () => {
  test("reads a request, and answers, while both are still under way", async () => {
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
    const writer = writable.getWriter();
    const calling = host.call("/api/upper/there?x=1", {
      method: "POST",
      headers: { "x-given": "yes" },
      body: readable,
      duplex: "half",
    } as RequestInit);

    await writer.write(Buffer.from("first "));
    const response = await calling;
    const reader = response.body?.getReader();
    expect(Buffer.from((await reader?.read())?.value ?? []).toString()).toBe("FIRST ");

    await writer.write(Buffer.from("second"));
    await writer.close();
    expect(Buffer.from((await reader?.read())?.value ?? []).toString()).toBe("SECOND");
    expect((await reader?.read())?.done).toBe(true);

    expect(response.status).toBe(201);
    expect(response.headers.get("x-to")).toBe("there");
    expect(response.headers.get("x-given")).toBe("yes");
    expect(response.headers.get("x-url")).toBe(`${host.url}/api/upper/there?x=1`);
    expect(response.headers.get("x-ms-invocation-id")).toMatch(/^[0-9a-f-]{36}$/);
  });

  test.each(["throws", "exits"])("answers 500 for a function that %s", async (name) => {
    const response = await host.call(`/api/${name}`, { method: "POST", body: "x" });
    expect([response.status, await response.text()]).toEqual([500, ""]);
  });
});
