import { createServer } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import type { DurableClient, OrchestrationHandler } from "durable-functions";
import { describe, expect, onTestFinished, test } from "vitest";
import type { DurableExtension } from "../../../../local/host/contract.ts";
import { aTaskHub } from "./hub-under-test.ts";

/** The client that the library makes from a binding's JSON. */
const library = createRequire(import.meta.url)("durable-functions/lib/src/durableClient/DurableClient.js") as {
  DurableClient: new (binding: unknown) => DurableClient;
};

const waitForGo: OrchestrationHandler = function* (context) {
  context.df.setCustomStatus("waiting");
  return yield context.df.waitForExternalEvent("go");
};

/** Serves the extension's API on a port of its own. */
const serve = async (handle: () => DurableExtension["handle"]): Promise<string> => {
  const server = createServer(async (incoming, outgoing) => {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const { method = "GET", headers } = incoming;
    const body = method === "GET" || chunks.length === 0 ? {} : { body: Buffer.concat(chunks) };
    const named = Object.entries(headers).map(([name, value]): [string, string] => [name, String(value)]);
    const response = await handle()(
      new Request(`http://${headers.host}${incoming.url}`, { method, headers: named, ...body }),
    );
    outgoing.writeHead(response.status, Object.fromEntries(response.headers));
    outgoing.end(Buffer.from(await response.arrayBuffer()));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
};

const aClient = async () => {
  let handle: DurableExtension["handle"] | undefined;
  const origin = await serve(() => handle ?? (async () => new Response(null, { status: 503 })));
  const hub = await aTaskHub({ orchestrators: { waitForGo } }, { baseUrl: () => origin, clientUrl: () => origin });
  handle = hub.hub.handle;
  const binding: unknown = JSON.parse(hub.hub.clientBinding({ type: "durableClient", direction: "in" }));
  return { hub, client: new library.DurableClient(binding), origin };
};

describe("the library's client", () => {
  test("starts, reads, raises events and waits", async () => {
    const { hub, client } = await aClient();
    expect(await client.startNew("waitForGo", { instanceId: "id", input: { n: 1 } })).toBe("id");
    await hub.until("id", "Running");
    expect(await client.getStatus("id")).toMatchObject({
      runtimeStatus: "Running",
      input: { n: 1 },
      customStatus: "waiting",
      createdTime: new Date("2026-11-22T01:00:00Z"),
    });
    await client.raiseEvent("id", "go", { said: "hello" });
    await hub.finished("id");
    expect((await client.getStatus("id")).output).toEqual({ said: "hello" });
  });

  test("finds out that an instance is unknown, alive or ended", async () => {
    const { hub, client } = await aClient();
    await expect(client.getStatus("none")).rejects.toThrow("HTTP 404");
    await client.startNew("waitForGo", { instanceId: "id" });
    await hub.until("id", "Running");
    await expect(client.startNew("waitForGo", { instanceId: "id" })).rejects.toThrow("already exists");
    await client.terminate("id", "enough");
    await client.terminate("id", "twice is harmless");
    expect(await client.getStatus("id")).toMatchObject({ runtimeStatus: "Terminated", output: "enough" });
    await client.startNew("waitForGo", { instanceId: "id" });
  });

  test("suspends, resumes, lists over pages and purges", async () => {
    const { hub, client } = await aClient();
    await Promise.all(Array.from({ length: 120 }, (_, n) => client.startNew("waitForGo", { instanceId: `i${n}` })));
    await client.suspend("i7", "wait");
    expect((await client.getStatus("i7")).runtimeStatus).toBe("Suspended");
    await client.resume("i7", "on");
    expect(await client.getStatusAll()).toHaveLength(120);
    await Promise.all([client.terminate("i0", "x"), client.terminate("i1", "x")]);
    await hub.finished("i1");
    expect(await client.getStatusBy({ runtimeStatus: ["Terminated" as never] })).toHaveLength(2);
    expect(await client.purgeInstanceHistory("i0")).toEqual({ instancesDeleted: 1 });
    expect(await client.purgeInstanceHistoryBy({ createdTimeFrom: new Date(0) })).toEqual({ instancesDeleted: 1 });
  });

  test("returns URLs with the system key", async () => {
    const { client, origin } = await aClient();
    await client.startNew("waitForGo", { instanceId: "id" });
    const { statusQueryGetUri } = client.createHttpManagementPayload("id");
    expect(statusQueryGetUri).toMatch(/&code=system-key$/);
    expect(statusQueryGetUri.startsWith(origin)).toBe(true);
    expect((await fetch(statusQueryGetUri)).status).toBe(202);
  });

  test("cannot rewind", async () => {
    const { client } = await aClient();
    await client.startNew("waitForGo", { instanceId: "id" });
    await expect(client.rewind("id", "reason")).rejects.toThrow("cannot rewind");
  });
});
