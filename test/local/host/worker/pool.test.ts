import { afterAll, afterEach, describe, expect, test, vi } from "vitest";
import { FunctionFailedError, type NamedData, WorkerLostError } from "../../../../local/host/contract.ts";
import type { LogEntry } from "../../../../local/host/log.ts";
import { type AppPool, startWorkerPool, type WorkerPoolOptions } from "../../../../local/host/worker/pool.ts";
import { aFolder, anApp, removeFolders, until } from "../fixture.ts";

/** A generic trigger accepts any input, as the durable ones do. */
const functions = (source: string) => `
  import { app, trigger } from "@azure/functions";
  const on = (name, handler) =>
    app.generic(name, { trigger: trigger.generic({ type: "anyTrigger", name: "any" }), handler });
  ${source}
`;

const APP = functions(`
  on("echo", (input) => input);
  on("type", (input) => typeof input);
  on("pid", () => process.pid);
  on("hang", () => new Promise(() => {}));
  on("throws", () => { throw new Error("my message"); });
  on("throws-text", () => { throw "only text"; });
  on("heap", () => process.execArgv);
`);

let pool: AppPool | undefined;
const log: LogEntry[] = [];

afterEach(async () => {
  await pool?.stop();
  pool = undefined;
  log.length = 0;
});

afterAll(removeFolders);

const aPool = async (source: string, options: Partial<WorkerPoolOptions> = {}): Promise<AppPool> => {
  const { PATH = "" } = process.env;
  const appDir = await anApp(source);
  const dir = await aFolder();
  pool = await startWorkerPool({ appDir, dir, size: 1, env: { PATH }, log: (entry) => log.push(entry), ...options });
  return pool;
};

const call = async (name: string, data: NamedData["data"] = { json: "{}" }) => {
  const result = await pool?.invoke({ functionName: name, inputs: [{ name: "any", data }] });
  return result?.returnValue;
};

describe("invoke", () => {
  test.each([
    [{ json: '{"a":[1]}' }, { json: '{"a":[1]}' }],
    [{ string: "text" }, { string: "text" }],
    [{ json: "5" }, { json: "5" }],
    [{ json: "1.5" }, { json: "1.5" }],
    [{ json: "false" }, { json: "false" }],
    [{ json: "null" }, undefined],
  ])("returns %j as %j", async (given, returned) => {
    await aPool(APP);
    expect(await call("echo", given)).toEqual(returned);
  });

  test("carries bytes as they are", async () => {
    await aPool(APP);
    const bytes = new Uint8Array([0, 128, 255]);
    expect(Buffer.from((await call("echo", { bytes }))?.bytes ?? []).equals(bytes)).toBe(true);
  });

  test("throws what the function threw, with its stack", async () => {
    await aPool(APP);
    const error = await call("throws").catch((reason) => reason);
    expect(error).toBeInstanceOf(FunctionFailedError);
    expect(error).toMatchObject({ functionName: "throws", message: "my message" });
    expect(error.remoteStack).toMatch(/^Error: my message\n/);
    await expect(call("throws-text")).rejects.toThrow("only text");
  });

  test("fails for a function that the app does not have", async () => {
    await aPool(APP);
    await expect(call("nobody")).rejects.toThrow('The app has no function "nobody".');
  });

  test("spreads over the processes", async () => {
    await aPool(APP, { size: 2 });
    const pids = await Promise.all([call("pid"), call("pid")]);
    expect(new Set(pids.map((pid) => pid?.json)).size).toBe(2);
  });

  test("fails, and ends the process, after the function's timeout", async () => {
    await aPool(APP, { functionTimeoutMs: 50 });
    const [before] = pool?.pids() ?? [];
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const hanging = expect(call("hang")).rejects.toThrow("hang ran longer than 0.05 s.");
    await until(() => log.some(({ message }) => message.startsWith("Executing 'Functions.hang'")));
    vi.advanceTimersByTime(50);
    await hanging;
    expect(await call("pid")).not.toEqual({ json: `${before}` });
  });
});

describe("a process that is killed", () => {
  test("loses the invocations under way, and is replaced for later ones", async () => {
    await aPool(APP);
    const [pid = 0] = pool?.pids() ?? [];
    const lost = call("hang").catch((error) => error);
    await until(() => log.some(({ message }) => message.startsWith("Executing 'Functions.hang'")));

    process.kill(pid, "SIGKILL");
    expect(await lost).toBeInstanceOf(WorkerLostError);
    expect(await call("echo", { string: "again" })).toEqual({ string: "again" });
    expect(pool?.pids()).not.toContain(pid);
    expect(log).toContainEqual({
      level: "error",
      category: "Host.Worker",
      message: "The app's process ended (SIGKILL); it is started again.",
    });
  });
});

describe("a process", () => {
  test("survives Ctrl-C in its terminal, and messages from its app to the host", async () => {
    await aPool(`${APP} process.send("hello");`);
    const [pid = 0] = pool?.pids() ?? [];
    process.kill(pid, "SIGINT");
    expect(await call("pid")).toEqual({ json: `${pid}` });
    expect(log.map(({ message }) => message)).toContain("The app sent a message that is not meant for the host.");
  });
});

describe("stop", () => {
  test("runs the app's terminate hooks, and leaves no process", async () => {
    await aPool(`
      import { app } from "@azure/functions";
      app.hook.appTerminate(() => { console.log("goodbye"); });
    `);
    const pids = pool?.pids() ?? [];
    await pool?.stop();
    await until(() => log.some(({ message }) => message === "goodbye"));
    expect(pids.map((pid) => isAlive(pid))).toEqual([false]);
  });

  test("rejects invocations that wait for a process", async () => {
    await aPool(APP);
    const [pid = 0] = pool?.pids() ?? [];
    process.kill(pid, "SIGKILL");
    await until(() => !isAlive(pid));
    const waiting = call("echo").catch((error) => error);
    await pool?.stop();
    expect(await waiting).toBeInstanceOf(WorkerLostError);
  });
});

describe("hooks", () => {
  test("run around the app and each function, and may change inputs and results", async () => {
    await aPool(
      functions(`
        const steps = [];
        app.hook.appStart(() => { steps.push("start"); });
        app.hook.preInvocation((context) => {
          context.hookData.seen = context.inputs[0];
          context.inputs = ["changed"];
          const inner = context.functionHandler;
          context.functionHandler = async (...args) => "wrapped " + (await inner(...args));
        });
        app.hook.postInvocation((context) => {
          context.result = [...steps, context.hookData.seen, context.result];
        });
        on("echo", (input) => input);
      `),
    );
    expect(await call("echo", { string: "given" })).toEqual({ json: '["start","given","wrapped changed"]' });
  });

  test("may clear an error, and change the log", async () => {
    await aPool(
      functions(`
        app.hook.postInvocation((context) => { context.error = undefined; context.result = "saved"; });
        app.hook.log((context) => {
          if (context.category === "user") context.message = "[hooked] " + context.message;
        });
        on("throws", (_, context) => { context.log("before"); throw new Error("no"); });
      `),
    );
    expect(await call("throws")).toEqual({ string: "saved" });
    expect(log.map(({ message }) => message)).toContain("[hooked] before");
  });
});

describe("an app that cannot be loaded", () => {
  test.each([
    [
      'throw new Error("the setting VAULT_URL is missing");',
      "dist/main.mjs cannot be loaded: the setting VAULT_URL is missing",
    ],
    ["process.exit(4);", "the app's process ended while loading (exit code 4)"],
    [functions('on("a", () => 1); on("a", () => 2);'), 'There is a function with the id "a" already.'],
  ])("%j refuses the start with its own message", async (source, message) => {
    await expect(aPool(source, { size: 2 })).rejects.toThrow(message);
  });

  test("cannot register once it is loaded", async () => {
    await aPool(functions('on("late", () => { on("b", () => 1); });'));
    await expect(call("late")).rejects.toThrow("Functions can only be registered while the app starts.");
  });
});

describe("options", () => {
  test("pass flags to Node", async () => {
    await aPool(APP, { nodeFlags: ["--max-old-space-size=200"] });
    expect(await call("heap")).toEqual({ json: '["--max-old-space-size=200"]' });
  });
});

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};
