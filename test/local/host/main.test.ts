import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { aFolder, anApp, removeFolders, until } from "./fixture.ts";

const APP = `
  import { existsSync, writeFileSync } from "node:fs";
  import { setTimeout as delay } from "node:timers/promises";
  import { app } from "@azure/functions";

  process.on("exit", () => writeFileSync(process.env.EXIT_FILE, ""));
  app.http("hello", { route: "hello/{name?}", handler: async () => ({ body: "hello" }) });
  app.http("slow", { handler: async () => {
    while (!existsSync(process.env.GO_ON_FILE)) await delay(5);
    return { body: "done" };
  } });
  app.timer("nightly", { schedule: "0 0 1 * * *", handler: async () => {} });
`;

let appDir: string;
/** Written by the app's process when it ends: its id may stay known to the system for a while. */
let exitFile: string;
/** What its slow function waits for. */
let goOnFile: string;
const started: ChildProcess[] = [];

beforeAll(async () => {
  appDir = await anApp(APP);
});

beforeEach(async () => {
  const folder = await aFolder();
  exitFile = join(folder, "exit");
  goOnFile = join(folder, "go-on");
});

afterEach(() => {
  for (const host of started.splice(0)) host.kill("SIGKILL");
});

afterAll(removeFolders);

const start = async (...args: string[]): Promise<ChildProcess> => {
  const host = fork(resolve("local/host/main.ts"), ["--port", "0", "--data", await aFolder(), ...args], {
    env: { ...process.env, EXIT_FILE: exitFile, GO_ON_FILE: goOnFile },
    execArgv: [],
    silent: true,
  });
  started.push(host);
  return host;
};

const aRunningHost = async () => {
  const host = await start("--app", appDir);
  const [ready] = await once(host, "message");
  return { host, ready };
};

describe("the host as a process", () => {
  test("sends its parent a message when it is ready, and prints what it serves", async () => {
    const host = await start("--app", appDir);
    const output = text(host.stdout ?? Readable.from([]));
    const [ready] = await once(host, "message");
    expect(ready).toEqual({
      ready: true,
      url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
      masterKey: expect.stringMatching(/^[\w-]{43}$/),
    });

    host.kill("SIGTERM");
    expect(await output).toContain(
      [
        "Functions:",
        "",
        `\thello: [GET,POST] ${ready.url}/api/hello/{name?}`,
        `\tslow: [GET,POST] ${ready.url}/api/slow`,
        "\tnightly: timerTrigger",
      ].join("\n"),
    );
  });

  test.each(["SIGINT", "SIGTERM"] as const)(
    "on %s finishes the request under way, then ends with the app",
    async (signal) => {
      const { host, ready } = await aRunningHost();
      const output: string[] = [];
      host.stdout?.on("data", (chunk) => output.push(String(chunk)));
      const slow = fetch(`${ready.url}/api/slow`).then((response) => response.text());
      await until(() => output.join("").includes("Executing 'Functions.slow'"));
      host.kill(signal);
      // From then on the host takes nothing new: it answers 503, or no more.
      const hello = () => fetch(`${ready.url}/api/hello`).catch(() => undefined);
      await until(async () => (await hello())?.status !== 200);
      await writeFile(goOnFile, "");
      expect(await slow).toBe("done");
      expect(await once(host, "exit")).toEqual([0, null]);
      expect(existsSync(exitFile)).toBe(true);
    },
  );

  test("ends when its parent ends", async () => {
    const { host } = await aRunningHost();
    host.disconnect();
    expect(await once(host, "exit")).toEqual([0, null]);
    expect(existsSync(exitFile)).toBe(true);
  });

  test("ends its app when it is killed", async () => {
    const { host } = await aRunningHost();
    host.kill("SIGKILL");
    await until(() => existsSync(exitFile));
  });

  test.each([
    [["--app", "/nowhere"], "/nowhere/host.json does not exist: --app must name the folder that holds host.json\n"],
    [["--workers", "none"], /^--workers: .* Usage: main\.ts/],
    [["--share-times", "often"], /^--share-times: .* Usage: main\.ts/],
    [["--colour"], /^Unknown option '--colour'.* Usage: main\.ts/],
  ])("refuses %j with one line and exit code 2", async (args, line) => {
    const host = await start(...args);
    const [errors, [code]] = await Promise.all([text(host.stderr ?? Readable.from([])), once(host, "exit")]);
    expect([code, errors.trimEnd().split("\n").length]).toEqual([2, 1]);
    expect(errors).toMatch(line);
  });
});
