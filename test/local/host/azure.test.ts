import { afterAll, afterEach, describe, expect, test } from "vitest";
import { profileOf } from "../../../local/host/profile.ts";
import { eventually } from "../../support/eventually.ts";
import { aClock, aFolder, aHost, anApp, type RunningHost, removeFolders, until } from "./fixture.ts";

const APP = `
  import { app } from "@azure/functions";

  app.setup({ enableHttpStream: true });
  app.http("throws", { handler: async () => { throw new Error("no"); } });
  app.http("url", { route: "url/{*path}", handler: async (request) => ({ body: new URL(request.url).pathname }) });
  app.http("size", { handler: async (request) => ({ body: String((await request.text()).length) }) });
`;

const START = "2026-11-30T01:00:00.000Z";
const profile = profileOf("azure");
const later = (ms: number) => new Date(Date.parse(START) + ms).toISOString();

let host: RunningHost | undefined;
const appDir = anApp(APP);

afterEach(async () => {
  await host?.stop();
  host = undefined;
});
afterAll(removeFolders);

const aRunningHost = async (...[options]: [Parameters<typeof aHost>[1]?]) => {
  host = await aHost(await appDir, options);
  return host;
};

const isSettled = async (work: Promise<unknown>): Promise<boolean> => {
  let settled = false;
  const settle = () => {
    settled = true;
  };
  work.then(settle, settle);
  await new Promise((resolve) => setImmediate(resolve));
  return settled;
};

describe("a streamed request whose function does not answer", () => {
  test.each([
    ["since it throws", {}],
    ["since the caller sent an invocation id", { "x-ms-invocation-id": "mine" }],
  ])("%s gets a bare 500 after four minutes without a byte", async (_, headers) => {
    const clock = aClock(START);
    const { call, log } = await aRunningHost({ clock, profile });
    const calling = call("/api/throws", { headers });
    await until(() => log.some(({ message }) => message.startsWith("Executing 'Functions.throws'")));
    if (!("x-ms-invocation-id" in headers))
      await until(() => log.some(({ message }) => message.startsWith("Executed 'Functions.throws' (Failed")));
    clock.advanceTo(later(profile.delays.silence - 1));
    expect(await isSettled(calling)).toBe(false);
    // The caller's own id is never seen by the function, so that only the clock ends its request.
    await until(async () => {
      clock.advanceTo(later(profile.delays.silence * 2));
      return isSettled(calling);
    });

    const response = await calling;
    expect([response.status, await response.text()]).toEqual([500, ""]);
  });

  test("gets it at once where nothing takes time", async () => {
    const { call } = await aRunningHost();
    expect((await call("/api/throws")).status).toBe(500);
    expect((await call("/api/size", { headers: { "x-ms-invocation-id": "mine" } })).status).toBe(500);
  });
});

describe("a streamed body", () => {
  test("over the limit of the host is refused with a bare 500", async () => {
    const { call } = await aRunningHost({ settings: { FUNCTIONS_REQUEST_BODY_SIZE_LIMIT: "10" } });
    expect(await (await call("/api/size", { method: "POST", body: "0123456789" })).text()).toBe("10");
    expect((await call("/api/size", { method: "POST", body: "0123456789+" })).status).toBe(500);
  });
});

describe("a path", () => {
  test("reaches the function with encoded slashes encoded once more", async () => {
    const { call } = await aRunningHost();
    expect(await (await call("/api/url/a%2Fb/c%20d")).text()).toBe("/api/url/a%252Fb/c%20d");
  });

  test("with an encoded zero is refused", async () => {
    const { call } = await aRunningHost();
    expect((await call("/api/url/a%00b")).status).toBe(400);
  });

  test("of the root shows a page, unless the app disables it", async () => {
    const { call } = await aRunningHost();
    expect((await call("/")).headers.get("content-type")).toBe("text/html");
    await host?.stop();
    const other = await aRunningHost({ settings: { AzureWebJobsDisableHomepage: "true" } });
    expect((await other.call("/")).status).toBe(204);
  });
});

describe("administration and webhooks", () => {
  test("ask for the master key, in a header or in the query; a ping does not", async () => {
    const { url, masterKey } = await aRunningHost();
    const statusOf = async (path: string, headers = {}) => (await fetch(`${url}${path}`, { headers })).status;

    expect(await statusOf("/admin/functions")).toBe(401);
    expect(await statusOf("/admin/functions?code=wrong")).toBe(401);
    expect(await statusOf(`/admin/functions?code=${masterKey}`)).toBe(200);
    expect(await statusOf("/admin/functions", { "x-functions-key": masterKey })).toBe(200);
    expect(await statusOf("/runtime/webhooks/durabletask/instances")).toBe(401);
    expect(await statusOf("/runtime/webhooks/eventgrid?functionName=x")).toBe(401);
    expect(await statusOf("/admin/host/ping")).toBe(200);
  });

  test("keep their keys from start to start", async () => {
    const dataDir = await aFolder();
    const { masterKey } = await aRunningHost({ dataDir });
    await host?.stop();
    expect((await aRunningHost({ dataDir })).masterKey).toBe(masterKey);
  });
});

describe("the app's process", () => {
  /** Kills it, and waits for the next one. */
  const kill = async ({ pids }: RunningHost) => {
    const pid = await eventually("process", () => pids()[0]);
    process.kill(pid, "SIGKILL");
    await until(() => !pids().includes(pid));
  };

  test("is not started again after its third death, and the host is worn", async () => {
    const running = await aRunningHost({ profile });
    for (let death = 1; death <= 2; death += 1) {
      await kill(running);
      await until(async () => (await running.call("/api/size")).status === 200);
    }
    await kill(running);
    await running.worn;
    expect(running.pids()).toEqual([]);
    expect((await running.call("/api/size")).status).toBe(500);
  });

  test("may die as often as it likes where deaths do not count", async () => {
    const running = await aRunningHost();
    for (let death = 1; death <= 3; death += 1) await kill(running);
    expect((await running.call("/api/size")).status).toBe(200);
    expect(await isSettled(running.worn)).toBe(false);
  });
});
