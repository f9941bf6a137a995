import { appendFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { app } from "@azure/functions";
import * as df from "durable-functions";
import { orchestrations } from "./orchestrations.ts";

/** The app of the contract: small functions, one for each thing that a host does. It runs in any host. */

/** What outlives the process is in files, by the name of the run. */
const fileOf = (name: string): string => join(tmpdir(), `host-contract-${name}.txt`);
const linesOf = (name: string): string[] =>
  existsSync(fileOf(name)) ? readFileSync(fileOf(name), "utf8").split("\n").slice(0, -1) : [];

const die = (): never => {
  process.kill(process.pid, "SIGKILL");
  throw new Error("The process is still alive");
};

app.setup({ enableHttpStream: true });

for (const [name, handler] of Object.entries(orchestrations)) df.app.orchestration(name, handler);
/** Its process dies in its second turn, once whoever started it was answered. */
df.app.orchestration("dies", function* (context) {
  yield context.df.createTimer(new Date(context.df.currentUtcDateTime.getTime() + 2_000));
  if (!existsSync(fileOf(context.df.instanceId))) {
    writeFileSync(fileOf(context.df.instanceId), "once\n");
    die();
  }
  return yield context.df.callActivity("echo", "gone on");
});
df.app.activity("echo", { handler: (value: unknown) => value });
df.app.activity("fail", {
  handler: (message: string) => {
    throw new Error(message);
  },
});
df.app.activity("slow", {
  handler: async ({ ms, value }: { ms: number; value: unknown }) => {
    await delay(ms);
    return value;
  },
});
/** Fails, or dies, at its first attempt; returns the number of attempts. */
df.app.activity("second", {
  handler: ({ id, how }: { id: string; how: "fail" | "die" }) => {
    appendFileSync(fileOf(id), "attempt\n");
    const attempts = linesOf(id).length;
    if (attempts === 1 && how === "die") die();
    if (attempts === 1) throw new Error("the first time");
    return attempts;
  },
});

const extraInputs = [df.input.durableClient()];
const json = (text: string): unknown => (text === "" ? undefined : JSON.parse(text));

app.http("start", {
  methods: ["POST"],
  route: "start/{name}/{id}",
  extraInputs,
  handler: async (request, context) => {
    const { name = "", id = "" } = request.params;
    try {
      await df.getClient(context).startNew(name, { instanceId: id, input: json(await request.text()) });
      return { status: 202 };
    } catch (error) {
      return { status: 409, body: String(error) };
    }
  },
});
app.http("status", {
  methods: ["GET"],
  route: "status/{id}",
  extraInputs,
  handler: async (request, context) => {
    try {
      return { jsonBody: await df.getClient(context).getStatus(request.params["id"] ?? "") };
    } catch {
      return { status: 404 };
    }
  },
});
app.http("raise", {
  methods: ["POST"],
  route: "raise/{id}/{event}",
  extraInputs,
  handler: async (request, context) => {
    const { id = "", event = "" } = request.params;
    await df.getClient(context).raiseEvent(id, event, json(await request.text()));
    return { status: 202 };
  },
});
app.http("order", {
  methods: ["POST"],
  route: "order/{id}/{order}",
  extraInputs,
  handler: async (request, context) => {
    const { id = "", order = "" } = request.params;
    const client = df.getClient(context);
    if (order === "suspend") await client.suspend(id, "requested");
    if (order === "resume") await client.resume(id, "requested");
    if (order === "terminate") await client.terminate(id, "requested");
    return { status: 202 };
  },
});

app.http("upper", {
  methods: ["POST"],
  route: "upper/{to}",
  handler: async (request) => ({
    status: 201,
    headers: { "x-to": request.params["to"] ?? "" },
    body: (await request.text()).toUpperCase(),
  }),
});
app.http("throw", {
  methods: ["GET"],
  route: "throws",
  handler: () => {
    throw new Error("no");
  },
});
app.http("lines", {
  methods: ["GET"],
  route: "lines/{name}",
  handler: (request) => ({ jsonBody: linesOf(request.params["name"] ?? "") }),
});
app.eventGrid("on-event", { handler: (event) => appendFileSync(fileOf(event.subject), `${event.id}\n`) });
app.timer("ticks", {
  schedule: "*/2 * * * * *",
  useMonitor: false,
  handler: () => appendFileSync(fileOf(`ticks-${process.pid}`), "tick\n"),
});
app.http("ticked", {
  methods: ["GET"],
  route: "ticked",
  handler: () => ({ jsonBody: linesOf(`ticks-${process.pid}`) }),
});
