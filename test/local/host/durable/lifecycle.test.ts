import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import type { OrchestrationHandler } from "durable-functions";
import { describe, expect, test } from "vitest";
import { aTaskHub, type HubUnderTest } from "./hub-under-test.ts";
import { replayPool } from "./replay-pool.ts";

const waitForGo: OrchestrationHandler = function* (context) {
  const said: unknown = yield context.df.waitForExternalEvent("go");
  context.df.setCustomStatus("gone on");
  return { said, after: yield context.df.callActivity("echo", "after") };
};
const echo = (value: unknown) => value;
const big = "x".repeat(100_000);

const app = {
  orchestrators: {
    waitForGo,
    echoInput: function* (context) {
      return yield context.df.callActivity("echo", context.df.getInput());
    } as OrchestrationHandler,
    // biome-ignore lint/correctness/useYield: it fails before it waits for anything
    fail: function* () {
      throw new Error("no");
    } as OrchestrationHandler,
  },
  activities: { echo },
};

const json = async (response: Promise<Response>): Promise<unknown> => (await response).json();
const filesOf = async (hub: HubUnderTest, folder: string) =>
  readdir(join(hub.dir, "TestHub", folder), { recursive: true }).catch(() => []);

describe("starting", () => {
  test("answers 202 with the URLs to manage the instance", async () => {
    const hub = await aTaskHub(app);
    const response = await hub.send("POST", "orchestrators/waitForGo/a%20b", { n: 1 });

    expect(response.status).toBe(202);
    const urls = (await response.json()) as Record<string, string>;
    expect(urls).toMatchObject({ id: "a b" });
    expect(Object.keys(urls).sort()).toEqual([
      "id",
      "purgeHistoryDeleteUri",
      "restartPostUri",
      "resumePostUri",
      "sendEventPostUri",
      "statusQueryGetUri",
      "suspendPostUri",
      "terminatePostUri",
    ]);
    const [url, query] = urls["statusQueryGetUri"]?.split("?") ?? [];
    expect(url).toBe("http://127.0.0.1:7071/runtime/webhooks/durabletask/instances/a%20b");
    expect(query).toMatch(/^taskHub=TestHub&connection=Storage&code=/);
    expect(response.headers.get("location")).toBe(urls["statusQueryGetUri"]);
    expect((await hub.hub.handle(new Request(urls["statusQueryGetUri"] ?? ""))).status).toBe(202);
  });

  test("makes up an id when none is given", async () => {
    const hub = await aTaskHub(app);
    expect(await json(hub.send("POST", "orchestrators/echoInput"))).toMatchObject({
      id: expect.stringMatching(/^[0-9a-f]{32}$/),
    });
  });

  test.each([
    "orchestrators/missing/x",
    "orchestrators/echo/x",
    "orchestrators/echoInput/@x",
    "orchestrators/echoInput/a%2Fb",
    "orchestrators/echoInput/a%23b",
    `orchestrators/echoInput/${"a".repeat(257)}`,
  ])("refuses %s with 400", async (path) => {
    const hub = await aTaskHub(app);
    expect((await hub.send("POST", path)).status).toBe(400);
    expect(await json(hub.send("GET", "instances"))).toEqual([]);
  });

  test("refuses a body that is not JSON", async () => {
    const hub = await aTaskHub(app);
    const url = "http://127.0.0.1:7071/runtime/webhooks/durabletask/orchestrators/echoInput/x";
    expect((await hub.hub.handle(new Request(url, { method: "POST", body: "{" }))).status).toBe(400);
  });

  test("refuses the id of a live instance, and takes that of an ended one again", async () => {
    const hub = await aTaskHub(app);
    await hub.start("waitForGo", "id");
    await hub.until("id", "Running");
    expect((await hub.send("POST", "orchestrators/waitForGo/id")).status).toBe(500);

    await hub.send("POST", "instances/id/terminate?reason=enough");
    await hub.start("echoInput", "id", { second: true });
    expect((await hub.finished("id")).output).toEqual({ second: true });
  });

  test("of one id by many callers at once is accepted from all, and one counts", async () => {
    const hub = await aTaskHub(app);
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, n) => hub.send("POST", "orchestrators/echoInput/id", n)),
    );
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 10 }, () => 202));

    const { output } = await hub.finished("id");
    expect(hub.pool.calls).toEqual([`echo(${String(output)})`]);
  });

  test("waits for the result on request", async () => {
    const hub = await aTaskHub(app);
    const response = await hub.send("POST", "orchestrators/echoInput/id?timeout=10&pollingInterval=1", [1]);
    expect([response.status, await response.json()]).toEqual([200, [1]]);
  });
});

describe("status", () => {
  test("is 404 for an unknown id, 202 with a Location while it runs, 200 after", async () => {
    const hub = await aTaskHub(app);
    expect((await hub.send("GET", "instances/none")).status).toBe(404);
    await hub.start("waitForGo", "id", { secret: 1 });
    const running = await hub.send("GET", "instances/id?showInput=false");
    expect([running.status, running.headers.get("location"), running.headers.get("retry-after")]).toEqual([
      202,
      "http://127.0.0.1:7071/runtime/webhooks/durabletask/instances/id?showInput=false",
      "5",
    ]);
    expect(await running.json()).toMatchObject({ input: null, output: null, createdTime: "2026-11-22T01:00:00Z" });
    await hub.raise("id", "go");
    await hub.finished("id");
    expect((await hub.send("GET", "instances/id")).status).toBe(200);
  });

  test("of a failed instance is 500 on demand", async () => {
    const hub = await aTaskHub(app);
    await hub.start("fail", "id");
    await hub.finished("id");
    expect((await hub.send("GET", "instances/id")).status).toBe(200);
    expect((await hub.send("GET", "instances/id?returnInternalServerErrorOnFailure=true")).status).toBe(500);
  });

  test("shows the history, with results on demand", async () => {
    const hub = await aTaskHub(app);
    await hub.start("waitForGo", "id");
    await hub.raise("id", "go", "now");
    await hub.finished("id");

    const events = (await hub.status("id", "?showHistory=true&showHistoryOutput=true")).historyEvents;
    expect(events).toEqual([
      expect.objectContaining({ EventType: "ExecutionStarted", FunctionName: "waitForGo" }),
      expect.objectContaining({ EventType: "EventRaised", Name: "go", Input: '"now"' }),
      expect.objectContaining({
        EventType: "TaskCompleted",
        FunctionName: "echo",
        Result: "after",
        ScheduledTime: expect.any(String) as string,
      }),
      expect.objectContaining({
        EventType: "ExecutionCompleted",
        OrchestrationStatus: "Completed",
        Result: { said: "now", after: "after" },
      }),
    ]);
    expect(JSON.stringify((await hub.status("id", "?showHistory=true")).historyEvents)).not.toContain("Result");
  });
});

describe("querying", () => {
  test("filters, and pages in the order of ids", async () => {
    const hub = await aTaskHub(app);
    for (const id of ["b-3", "a-1", "b-1", "b-2"]) {
      await hub.start("waitForGo", id);
      hub.clock.advance(60_000);
    }
    await hub.send("POST", "instances/b-2/terminate?reason=x");
    const ids = async (query: string, token?: string) => {
      const response = await hub.send(
        "GET",
        `instances/?${query}`,
        undefined,
        token === undefined ? {} : { "x-ms-continuation-token": token },
      );
      const found = (await response.json()) as { instanceId: string }[];
      return {
        ids: found.map(({ instanceId }) => instanceId),
        token: response.headers.get("x-ms-continuation-token") ?? undefined,
      };
    };

    expect((await ids("instanceIdPrefix=b-")).ids).toEqual(["b-1", "b-2", "b-3"]);
    expect((await ids("runtimeStatus=Terminated,Completed")).ids).toEqual(["b-2"]);
    expect((await ids("createdTimeFrom=2026-11-22T01:01:00Z&createdTimeTo=2026-11-22T01:02:00Z")).ids).toEqual([
      "a-1",
      "b-1",
    ]);
    const first = await ids("top=3");
    expect(first.ids).toEqual(["a-1", "b-1", "b-2"]);
    expect(await ids("top=3", first.token)).toEqual({ ids: ["b-3"], token: "" });
    const filtered = await ids("top=2&runtimeStatus=Terminated");
    expect(filtered.ids).toEqual([]);
    expect((await ids("top=2&runtimeStatus=Terminated", filtered.token)).ids).toEqual(["b-2"]);
    expect((await ids("runtimeStatus=Nonsense")).ids).toHaveLength(4);
  });
});

describe("terminating", () => {
  test("ends the instance with the reason as its output, and not its children", async () => {
    const hub = await aTaskHub({
      ...app,
      orchestrators: {
        ...app.orchestrators,
        parent: function* (context) {
          yield context.df.callSubOrchestrator("waitForGo", null, "child");
        },
      },
    });
    await hub.start("parent", "id");
    await hub.until("child", "Running");
    expect((await hub.send("POST", "instances/id/terminate?reason=not%20needed")).status).toBe(202);

    expect(await hub.finished("id")).toMatchObject({ runtimeStatus: "Terminated", output: "not needed" });
    expect((await hub.status("child")).runtimeStatus).toBe("Running");
    expect((await hub.send("POST", "instances/id/terminate?reason=again")).status).toBe(410);
    expect((await hub.raise("id", "go")).status).toBe(410);
    expect((await hub.send("POST", "instances/none/terminate")).status).toBe(404);
  });
});

describe("suspending", () => {
  test("lets the orchestrator go on and show it, but calls nothing until it is resumed", async () => {
    const hub = await aTaskHub(app);
    await hub.start("waitForGo", "id");
    await hub.until("id", "Running");
    expect((await hub.send("POST", "instances/id/suspend?reason=wait")).status).toBe(202);
    expect(await hub.status("id")).toMatchObject({ runtimeStatus: "Suspended", output: "wait", customStatus: null });
    await hub.raise("id", "go", "now");

    await expect.poll(async () => (await hub.status("id")).customStatus).toBe("gone on");
    expect((await hub.status("id")).runtimeStatus).toBe("Suspended");
    expect(hub.pool.calls).toEqual([]);
    expect((await hub.send("POST", "instances/id/resume?reason=on")).status).toBe(202);
    expect((await hub.finished("id")).output).toEqual({ said: "now", after: "after" });
  });
});

describe("purging", () => {
  test("deletes an ended instance and its files", async () => {
    const hub = await aTaskHub(app);
    await hub.start("echoInput", "id", big);
    await hub.finished("id");
    expect(await filesOf(hub, "large-messages")).not.toEqual([]);

    expect(await json(hub.send("DELETE", "instances/id"))).toEqual({ instancesDeleted: 1 });
    expect((await hub.send("GET", "instances/id")).status).toBe(404);
    expect((await hub.send("DELETE", "instances/id")).status).toBe(404);
    expect([await filesOf(hub, "instances"), await filesOf(hub, "large-messages")]).toEqual([[], []]);
  });

  test("deletes one that is alive, too, and nothing of it counts any more", async () => {
    const hub = await aTaskHub(app);
    await hub.start("waitForGo", "id");
    await hub.until("id", "Running");
    expect(await json(hub.send("DELETE", "instances/id"))).toEqual({ instancesDeleted: 1 });
    expect((await hub.raise("id", "go")).status).toBe(404);
    expect(await filesOf(hub, "instances")).toEqual([]);
  });

  test("of many selects by creation and state, and leaves live ones alone", async () => {
    const hub = await aTaskHub(app);
    await hub.start("waitForGo", "alive");
    for (const id of ["one", "two"]) await hub.start("echoInput", id);
    await Promise.all([hub.finished("one"), hub.finished("two")]);

    expect((await hub.send("DELETE", "instances")).status).toBe(400);
    expect(await json(hub.send("DELETE", "instances?createdTimeFrom=2020-01-01"))).toEqual({ instancesDeleted: 2 });
    expect((await hub.send("DELETE", "instances?createdTimeFrom=2020-01-01")).status).toBe(404);
    expect((await hub.status("alive")).runtimeStatus).toBe("Running");
  });
});

describe("restarting", () => {
  test("runs the same orchestrator with the same input under a new id, or the old one", async () => {
    const hub = await aTaskHub(app);
    await hub.start("echoInput", "id", { n: 1 });
    await hub.finished("id");
    const { id } = (await json(hub.send("POST", "instances/id/restart"))) as { id: string };
    expect((await hub.finished(id)).output).toEqual({ n: 1 });
    await hub.send("POST", "instances/id/restart?restartWithNewInstanceId=false");
    await hub.finished("id");
    expect(hub.pool.calls).toHaveLength(3);
    expect((await hub.send("POST", "instances/none/restart")).status).toBe(400);
  });
});

describe("a URL that encodes nothing", () => {
  test("is answered 400", async () => {
    const hub = await aTaskHub(app);
    expect((await hub.send("GET", "instances/%E0%A4%A")).status).toBe(400);
  });
});

describe("an unsupported operation", () => {
  test.each([
    ["POST", "instances/id/rewind?reason=x"],
    ["GET", "entities/counter/1"],
  ])("is answered 501: %s %s", async (method, path) => {
    const hub = await aTaskHub(app);
    await hub.start("fail", "id");
    await hub.finished("id");
    expect((await hub.send(method, path)).status).toBe(501);
  });
});

describe("large values", () => {
  test("pass between instances unchanged, while histories stay small", async () => {
    const hub = await aTaskHub({
      activities: { echo },
      orchestrators: {
        ...app.orchestrators,
        parent: function* (context) {
          const event: string = yield context.df.waitForExternalEvent("data");
          return yield context.df.callSubOrchestrator("echoInput", event, "child");
        },
      },
    });
    await hub.start("parent", "id");
    await hub.raise("id", "data", big);

    expect((await hub.finished("id")).output).toBe(big);
    expect((await hub.status("child")).input).toBe(big);
    for (const name of await filesOf(hub, "instances")) {
      expect((await stat(join(hub.dir, "TestHub", "instances", name))).size).toBeLessThan(5000);
    }
  });
});

describe("an eternal orchestration", () => {
  const eternal: OrchestrationHandler = function* (context) {
    const { left, text }: { left: number; text: string } = context.df.getInput();
    yield context.df.callActivity("echo", text);
    if (left > 0) context.df.continueAsNew({ left: left - 1, text });
    return "over";
  };

  test.each([
    [100, "small", "x", 2000],
    [15, "large", big, 2500],
  ])("of %i generations leaves one small file, with %s values", async (generations, _, text, limit) => {
    const hub = await aTaskHub({ orchestrators: { eternal }, activities: { echo } });
    await hub.start("eternal", "id", { left: generations, text });

    expect((await hub.finished("id")).output).toBe("over");
    expect((await stat(join(hub.dir, "TestHub", "instances", "id.jsonl"))).size).toBeLessThan(limit);
    expect((await filesOf(hub, "large-messages")).length).toBeLessThan(6);
  });

  test("passes unseen events on to the next generation", async () => {
    const hub = await aTaskHub({
      orchestrators: {
        collect: function* (context) {
          const seen: unknown[] = context.df.getInput() ?? [];
          const item: unknown = yield context.df.waitForExternalEvent("item");
          if (item === "end") return seen;
          context.df.continueAsNew([...seen, item]);
          return undefined;
        },
      },
    });
    await hub.start("collect", "id");
    for (let n = 0; n < 20; n += 1) await hub.raise("id", "item", n);
    await hub.raise("id", "item", "end");

    expect((await hub.finished("id")).output).toEqual(Array.from({ length: 20 }, (_, n) => n));
  });
});

describe("limits", () => {
  const fan: OrchestrationHandler = function* (context) {
    yield context.df.Task.all(Array.from({ length: 20 }, (_, n) => context.df.callActivity("echo", n)));
  };
  const slowEcho = (value: unknown) => new Promise((resolve) => setImmediate(() => resolve(value)));

  test("apply to activities, times the number of processes", async () => {
    const pool = replayPool({ orchestrators: { fan }, activities: { echo: slowEcho } }, 2);
    const hub = await aTaskHub({ orchestrators: {} }, { pool, maxConcurrentActivities: 3 });
    await hub.start("fan", "id");
    await hub.finished("id");
    expect(hub.pool.peak.activities).toBe(6);
  });

  test("leave activities in the order in which they came, whatever instance they are of", async () => {
    const hub = await aTaskHub(
      { orchestrators: { fan, ...app.orchestrators }, activities: { echo: slowEcho } },
      { maxConcurrentActivities: 1 },
    );
    await hub.start("fan", "many");
    await hub.until("many", "Running");
    await hub.start("echoInput", "one", "last");
    await hub.finished("one");
    expect(hub.pool.calls.at(-1)).toBe('echo("last")');
    await hub.finished("many");
  });
});

describe("double delivery", () => {
  test("runs each activity twice, and the first result counts", async () => {
    let count = 0;
    const hub = await aTaskHub(
      { orchestrators: app.orchestrators, activities: { echo: () => (count += 1) } },
      { deliverActivitiesTwice: true },
    );
    await hub.start("echoInput", "id");

    expect((await hub.finished("id")).output).toBe(1);
    expect(hub.pool.calls).toHaveLength(2);
  });
});
