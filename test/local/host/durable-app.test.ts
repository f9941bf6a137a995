import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connectTaskHub } from "../../../local/host/connect-task-hub.ts";
import { aFolder, aHost, anApp, type RunningHost, removeFolders, until } from "./fixture.ts";

const APP = `
  import { app } from "@azure/functions";
  import * as df from "durable-functions";
  import { existsSync } from "node:fs";

  // The first process never gets it done.
  const isSecond = existsSync(process.env.MARK);
  df.app.activity("double", { handler: (n) => isSecond ? n * 2 : new Promise(() => {}) });
  df.app.orchestration("sum", function* (context) {
    const doubled = yield context.df.Task.all(context.df.getInput().map((n) => context.df.callActivity("double", n)));
    return doubled.reduce((a, b) => a + b, 0);
  });
  df.app.client.http("start", { route: "start/{id}", handler: async (request, client) => {
    await client.startNew("sum", { instanceId: request.params.id, input: [1, 2, 3] });
    return { status: 202 };
  } });
  df.app.client.http("status", { route: "status/{id}", handler: async (request, client) => {
    const { runtimeStatus, output } = await client.getStatus(request.params.id);
    return { jsonBody: { runtimeStatus, output } };
  } });
`;

let host: RunningHost;
let mark: string;

beforeAll(async () => {
  mark = join(await aFolder(), "mark");
  host = await aHost(await anApp(APP), { durable: connectTaskHub, settings: { MARK: mark } });
});

afterAll(async () => {
  await host.stop();
  await removeFolders();
});

describe("an app with orchestrations", () => {
  test("completes them although its process is killed meanwhile", async () => {
    expect((await host.call("/api/start/one", { method: "POST" })).status).toBe(202);
    await until(() => host.log.some(({ message }) => message.startsWith("Executing 'Functions.double'")));
    await writeFile(mark, "");
    for (const pid of host.pids()) process.kill(pid, "SIGKILL");

    // A request may still meet the dying process, and fails with it.
    const status = async () => (await host.call("/api/status/one")).text();
    await until(async () => (await status()).includes("Completed"));
    expect(JSON.parse(await status())).toEqual({ runtimeStatus: "Completed", output: 12 });
  });
});
