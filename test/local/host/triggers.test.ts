import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { DurableExtension } from "../../../local/host/contract.ts";
import { aClock, aHost, anApp, type RunningHost, removeFolders, until } from "./fixture.ts";

const APP = `
  import { app } from "@azure/functions";
  import * as df from "durable-functions";

  const events = [];
  const fired = [];

  app.eventGrid("on-event", { handler: async (event, context) => {
    if (event.data.fail) throw new Error("not this one");
    events.push({ event, metadata: context.triggerMetadata });
  } });
  app.timer("nightly", {
    schedule: "%NIGHTLY%",
    handler: async (timer) => {
      fired.push({ name: "nightly", timer });
    },
  });
  app.timer("at-start", {
    schedule: "1.00:00:00",
    runOnStartup: true,
    handler: async () => {
      fired.push({ name: "at-start" });
    },
  });
  app.timer("turned-off", { schedule: "* * * * * *", handler: async () => { fired.push({ name: "turned-off" }); } });
  app.storageQueue("queue", { queueName: "q", connection: "c", handler: async () => {} });
  app.http("events", { handler: async () => ({ jsonBody: events }) });
  app.http("fired", { handler: async () => ({ jsonBody: fired }) });
  df.app.client.http("client", { handler: async (_, client) => ({ jsonBody: {
    hub: client.taskHubName,
    links: client.createHttpManagementPayload("x1"),
  } }) });
`;

const aDurable = (): DurableExtension & { readonly calls: string[] } => {
  const calls: string[] = [];
  const url = "http://127.0.0.1:1/runtime/webhooks/durabletask/instances/INSTANCEID";
  return {
    calls,
    start: async () => void calls.push("start"),
    stop: async () => void calls.push("stop"),
    clientBinding: () =>
      JSON.stringify({
        taskHubName: "Hub",
        creationUrls: {},
        managementUrls: { id: "INSTANCEID", statusQueryGetUri: url },
      }),
    handle: async (request) => Response.json({ method: request.method, body: await request.text() }, { status: 202 }),
  };
};

const SCHEDULE = "0 30 1 * * *";
const clock = aClock("2026-11-22T01:29:30Z");
const durable = aDurable();
let host: RunningHost;
let hubName: string;

beforeAll(async () => {
  const hostJson = { extensions: { durableTask: { hubName: "%HUB%" }, http: { routePrefix: "" } } };
  host = await aHost(await anApp(APP, hostJson), {
    settings: { NIGHTLY: SCHEDULE, HUB: "TheHub", "AzureWebJobs.turned-off.Disabled": "true" },
    clock,
    durable: ({ hub }) => {
      hubName = hub.hubName;
      return durable;
    },
  });
});

afterAll(async () => {
  await host.stop();
  await removeFolders();
  expect(durable.calls).toEqual(["start", "stop"]);
});

const json = async <T = unknown>(path: string): Promise<T> => (await (await host.call(path)).json()) as T;

const deliver = (type: string | undefined, body: unknown, name = "on-event") =>
  host.call(`/runtime/webhooks/eventgrid?functionName=${name}`, {
    method: "POST",
    headers: type === undefined ? {} : { "aeg-event-type": type },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });

describe("an Event Grid delivery", () => {
  const gridEvent = {
    id: "1",
    topic: "/t",
    subject: "a",
    eventType: "T",
    data: { n: 1 },
    eventTime: "2026-11-22T00:00:00Z",
  };
  const cloudEvent = { id: "2", source: "/t", type: "T", specversion: "1.0", data: { n: 2 } };
  const failing = { ...gridEvent, data: { fail: true } };

  test.each([
    ["Notification", [gridEvent], 202],
    ["notification", cloudEvent, 202],
    ["Notification", [gridEvent, cloudEvent], 202],
    ["Notification", [gridEvent, failing], 500],
    ["Notification", "not JSON", 500],
    ["Unsubscribe", "", 202],
    ["Other", [gridEvent], 400],
    [undefined, [gridEvent], 400],
  ])("of type %s with %j answers %i", async (type, body, status) => {
    expect((await deliver(type, body)).status).toBe(status);
  });

  test("passes the event to the function, and its fields as trigger metadata", async () => {
    await deliver("Notification", [{ ...gridEvent, id: "mine" }]);
    const events = await json<{ event: { id: string } }[]>("/events");
    expect(events.find(({ event }) => event.id === "mine")).toEqual({
      event: { ...gridEvent, id: "mine" },
      metadata: { ...gridEvent, id: "mine" },
    });
  });

  test("names the failed function to Event Grid", async () => {
    const response = await deliver("Notification", [failing]);
    expect(await response.text()).toBe("Exception while executing function: Functions.on-event");
  });

  test.each(["nobody", "nightly", ""])("for %j is not found", async (name) => {
    const response = await deliver("Notification", [gridEvent], name);
    expect([response.status, await response.text()]).toEqual([404, `cannot find function: '${name}'`]);
  });

  test.each([
    ["Event Grid", [{ data: { validationCode: "abc" } }]],
    ["CloudEvents", { data: JSON.stringify({ validationCode: "abc" }) }],
  ])("that validates a subscription in the %s schema gets its code back", async (_, body) => {
    const response = await deliver("SubscriptionValidation", body);
    expect(await response.json()).toEqual({ validationResponse: "abc" });
  });

  test.each([
    ["eventgrid.azure.us", "eventgrid.azure.us"],
    ["elsewhere.example", "eventgrid.azure.net"],
  ])("asked whether %s may deliver, allows %s", async (origin, allowed) => {
    const response = await host.call("/runtime/webhooks/eventgrid?functionName=on-event", {
      method: "OPTIONS",
      headers: { "webhook-request-origin": origin },
    });
    expect([response.status, response.headers.get("webhook-allowed-origin")]).toEqual([200, allowed]);
  });
});

describe("a timer", () => {
  test("fires when its schedule says, by the host's clock", async () => {
    type Fired = { name: string; timer: { isPastDue: boolean; scheduleStatus: { next: string } } };
    const nightly = async () => ((await json("/fired")) as Fired[]).filter(({ name }) => name === "nightly");
    expect(await nightly()).toEqual([]);
    clock.advanceTo("2026-11-22T01:30:00Z");
    await until(async () => (await nightly()).length > 0);
    expect((await nightly())[0]?.timer).toEqual({
      schedule: { adjustForDST: true },
      scheduleStatus: {
        last: "0001-01-01T00:00:00+00:00",
        next: "2026-11-22T01:30:00.000Z",
        lastUpdated: "0001-01-01T00:00:00+00:00",
      },
      isPastDue: false,
    });
  });

  test("runs at the start on request, and never when it is disabled", async () => {
    const names = async () => ((await json("/fired")) as { name: string }[]).map(({ name }) => name);
    await until(async () => (await names()).includes("at-start"));
    expect(await names()).not.toContain("turned-off");
  });
});

describe("the admin endpoint", () => {
  const run = (name: string, body: string) =>
    host.call(`/admin/functions/${name}`, { method: "POST", headers: { "content-type": "application/json" }, body });

  test("runs a timer outside its schedule", async () => {
    const count = async () => (await json<unknown[]>("/fired")).length;
    const before = await count();
    expect((await run("nightly", "{}")).status).toBe(202);
    await until(async () => (await count()) > before);
  });

  test("runs an Event Grid function with a given event", async () => {
    const event = { id: "by-admin", data: {} };
    expect((await run("on-event", JSON.stringify({ input: JSON.stringify(event) }))).status).toBe(202);
    await until(async () =>
      ((await json("/events")) as { event: object }[]).some(
        (each) => JSON.stringify(each.event) === JSON.stringify(event),
      ),
    );
  });

  test.each([
    ["nobody", "{}", 404],
    ["nightly", "not JSON", 400],
    ["on-event", '{"input":"not an event"}', 400],
    ["events", "{}", 400],
  ])("answers a run of %s with %s by %i %i", async (name, body, status) => {
    expect((await run(name, body)).status).toBe(status);
  });

  test("lists the functions with their bindings and addresses", async () => {
    const functions = await json<{ name: string }[]>("/admin/functions");
    expect(functions.find(({ name }) => name === "events")).toMatchObject({
      invoke_url_template: `${host.url}/events`,
      config: {
        bindings: [
          { type: "httpTrigger", direction: "in" },
          { type: "http", direction: "out" },
        ],
      },
    });
    expect(await json("/admin/functions/Nightly")).toMatchObject({
      config: { bindings: [{ type: "timerTrigger", schedule: SCHEDULE }] },
    });
  });

  test("reports that the host runs", async () => {
    expect(await json("/admin/host/status")).toMatchObject({ state: "Running" });
  });
});

describe("the durable extension", () => {
  test("fills the client inputs of any function", async () => {
    expect(await json("/client")).toMatchObject({
      hub: "Hub",
      links: { statusQueryGetUri: "http://127.0.0.1:1/runtime/webhooks/durabletask/instances/x1" },
    });
  });

  test("serves its webhook", async () => {
    const response = await host.call("/runtime/webhooks/durabletask/instances/x1", { method: "POST", body: "hello" });
    expect([response.status, await response.json()]).toEqual([202, { method: "POST", body: "hello" }]);
  });

  test("gets its hub's name with settings resolved", () => {
    expect(hubName).toBe("TheHub");
  });
});

describe("a function whose trigger is not served", () => {
  test("is reported by its name", () => {
    expect(host.log).toContainEqual({
      level: "warning",
      category: "Host.Startup",
      functionName: "queue",
      message: "queueTrigger is not served locally.",
    });
  });
});
