import { type OrchestrationHandler, RetryOptions } from "durable-functions";
import { describe, expect, test } from "vitest";
import { aTaskHub } from "./hub-under-test.ts";
import { type App, replayPool } from "./replay-pool.ts";

const MINUTE_MS = 60_000;

const retry = (attempts: number) => {
  const options = new RetryOptions(1000, attempts);
  options.backoffCoefficient = 2;
  return options;
};

const chain: OrchestrationHandler = function* (context) {
  const greeting: string = yield context.df.callActivity("greet", "Ada");
  return yield context.df.callActivity("shout", { text: greeting });
};

const activities = {
  greet: (name: string) => `Hello ${name}`,
  shout: ({ text }: { text: string }) => `${text.toUpperCase()}!`,
  double: (n: number) => n * 2,
  nothing: () => undefined,
  fail: (message: string) => {
    throw new Error(message);
  },
};

const outcomeOf = async (orchestrator: OrchestrationHandler, input?: unknown, more: Partial<App> = {}) => {
  const hub = await aTaskHub({
    orchestrators: { main: orchestrator, ...more.orchestrators },
    activities: { ...activities, ...more.activities },
  });
  await hub.start("main", "one", input);
  return { hub, status: () => hub.finished("one") };
};

describe("an orchestration", () => {
  test("chains activities and returns its result", async () => {
    const { hub, status } = await outcomeOf(chain);

    expect(await status()).toMatchObject({
      name: "main",
      instanceId: "one",
      runtimeStatus: "Completed",
      output: "HELLO ADA!",
      input: null,
      customStatus: null,
    });
    expect(hub.pool.calls).toEqual(['greet("Ada")', 'shout({"text":"Hello Ada"})']);
  });

  test("fans out and in", async () => {
    const { status } = await outcomeOf(
      function* (context) {
        const numbers: number[] = context.df.getInput();
        return yield context.df.Task.all(numbers.map((n) => context.df.callActivity("double", n)));
      },
      [1, 2, 3, 4, 5],
    );

    expect((await status()).output).toEqual([2, 4, 6, 8, 10]);
  });

  test("goes on after a branch that failed once all of them have ended", async () => {
    let goOn = (_: string): void => undefined;
    const { hub } = await outcomeOf(
      function* (context) {
        try {
          yield context.df.Task.all([context.df.callActivity("fail", "broken"), context.df.callActivity("slow")]);
        } catch {
          context.df.setCustomStatus("caught");
          return yield context.df.callActivity("greet", "after");
        }
        return "not caught";
      },
      undefined,
      { activities: { slow: () => new Promise((resolve) => (goOn = resolve)) } },
    );
    await expect.poll(async () => (await hub.status("one")).customStatus).toBe("caught");
    expect(hub.pool.calls).toEqual(['fail("broken")', "slow(null)"]);
    goOn("done");

    expect((await hub.finished("one")).output).toBe("Hello after");
  });

  test("that has returned runs until everything that it began has ended", async () => {
    const { hub } = await outcomeOf(function* (context) {
      const due = new Date(context.df.currentUtcDateTime.getTime() + MINUTE_MS);
      const timer = context.df.createTimer(due);
      yield context.df.Task.any([timer, context.df.callActivity("greet", "Ada")]);
      context.df.setCustomStatus("returned");
      return "done";
    });
    await expect.poll(async () => (await hub.status("one")).customStatus).toBe("returned");
    expect((await hub.status("one")).runtimeStatus).toBe("Running");
    hub.clock.advance(MINUTE_MS);

    expect((await hub.finished("one")).output).toBe("done");
  });

  test.each([
    [8_700, "Completed", null],
    [8_703, "Failed", /UTF-16 size .* must not exceed 16 KB\. The current payload size is 17 KB/],
  ])("with a custom status of %i characters has %s", async (chars, runtimeStatus, output) => {
    // biome-ignore lint/correctness/useYield: it ends before it waits for anything
    const { status } = await outcomeOf(function* (context) {
      context.df.setCustomStatus("x".repeat(chars));
      return null;
    });

    const ended = await status();
    expect(ended.runtimeStatus).toBe(runtimeStatus);
    if (output === null) expect(ended.output).toBeNull();
    else expect(ended.output).toMatch(output);
  });

  test("gets null from an activity that returns nothing", async () => {
    const { status } = await outcomeOf(function* (context) {
      return { got: yield context.df.callActivity("nothing") };
    });

    expect((await status()).output).toEqual({ got: null });
  });

  test("shows its custom status", async () => {
    const { hub } = await outcomeOf(function* (context) {
      context.df.setCustomStatus({ phase: "waiting" });
      yield context.df.waitForExternalEvent("go");
      context.df.setCustomStatus({ phase: "over" });
    });

    await hub.until("one", "Running");
    expect((await hub.status("one")).customStatus).toEqual({ phase: "waiting" });
    await hub.raise("one", "go");
    expect((await hub.finished("one")).customStatus).toEqual({ phase: "over" });
  });

  test("fails with the extension's message when it throws", async () => {
    // biome-ignore lint/correctness/useYield: it fails before it waits for anything
    const { status } = await outcomeOf(function* () {
      throw new Error("no such mailbox");
    });

    expect(await status()).toMatchObject({
      runtimeStatus: "Failed",
      output: "Orchestrator function 'main' failed: no such mailbox",
    });
  });

  test("may catch the failure of an activity", async () => {
    const { status } = await outcomeOf(function* (context) {
      try {
        return yield context.df.callActivity("fail", "disk full");
      } catch (error) {
        return error instanceof Error ? error.message.split("\n")[0] : "not an error";
      }
    });

    expect((await status()).output).toBe("Activity function 'fail' failed: disk full ");
  });

  test("fails when it calls an unknown activity, and lists the registered ones", async () => {
    const { status } = await outcomeOf(function* (context) {
      yield context.df.callActivity("missing");
    });

    const { runtimeStatus, output } = await status();
    expect(runtimeStatus).toBe("Failed");
    expect(output).toMatch(/'missing' doesn't exist.*'greet', 'shout'/);
  });

  test.each([
    [
      "callHttp",
      function* (context) {
        yield context.df.callHttp({ method: "GET", url: "http://localhost" });
      },
    ],
  ] as [string, OrchestrationHandler][])("fails when it uses %s", async (feature, orchestrator) => {
    const { status } = await outcomeOf(orchestrator);

    expect(await status()).toMatchObject({
      runtimeStatus: "Failed",
      output: `Orchestrator function 'main' failed: ${feature} is not supported by the local host.`,
    });
  });

  test("fails when its replay calls something else", async () => {
    let turns = 0;
    const { status } = await outcomeOf(function* (context) {
      turns += 1;
      yield context.df.callActivity(turns === 1 ? "greet" : "shout", "x");
      yield context.df.callActivity("greet", "y");
    });

    expect((await status()).output).toMatch(
      /Non-deterministic workflow detected: it called activity 'greet' as task 0/,
    );
  });

  test("sees the same inputs and times in every replay", async () => {
    const seen = new Set<string>();
    const { status } = await outcomeOf(
      function* (context) {
        seen.add(`${context.df.currentUtcDateTime.toISOString()} ${context.df.newGuid("x")}`);
        yield context.df.callActivity("greet", "a");
        yield context.df.callActivity("greet", "b");
        return context.df.getInput();
      },
      { from: 1 },
    );

    expect((await status()).output).toEqual({ from: 1 });
    expect(seen.size).toBe(1);
  });

  test("is replayed again when the app's process died", async () => {
    const pool = replayPool({ orchestrators: { main: chain }, activities });
    const hub = await aTaskHub({ orchestrators: {} }, { pool });
    pool.loseNext(3);
    await hub.start("main", "one");

    expect((await hub.finished("one")).output).toBe("HELLO ADA!");
  });
});

describe("retry", () => {
  const flaky = (failures: number) => {
    let left = failures;
    return () => {
      left -= 1;
      if (left >= 0) throw new Error("flaky");
      return "done";
    };
  };

  test("calls again after a growing pause", async () => {
    const { hub } = await outcomeOf(
      function* (context) {
        return yield context.df.callActivityWithRetry("flaky", retry(4), "in");
      },
      undefined,
      { activities: { flaky: flaky(3) } },
    );

    const pauses: number[] = [];
    for (let i = 0; i < 3; i += 1) {
      await expect.poll(() => hub.clock.waits().length).toBe(1);
      pauses.push(...hub.clock.waits());
      hub.clock.advance(pauses.at(-1) ?? 0);
    }
    expect((await hub.finished("one")).output).toBe("done");
    expect(pauses).toEqual([1000, 2000, 4000]);
    expect(hub.pool.calls).toHaveLength(4);
  });

  test("gives up after the last attempt, without a pause", async () => {
    const { hub } = await outcomeOf(function* (context) {
      yield context.df.callActivityWithRetry("fail", retry(2), "broken");
    });

    await hub.skipTimer();
    expect(await hub.finished("one")).toMatchObject({
      runtimeStatus: "Failed",
      output: expect.stringContaining("Activity function 'fail' failed: broken") as string,
    });
    expect(hub.pool.calls).toHaveLength(2);
  });

  test("of several calls at once keeps each call's number", async () => {
    const { hub } = await outcomeOf(
      function* (context) {
        const calls = ["a", "b", "c"].map((name) => context.df.callActivityWithRetry(name, retry(5), name));
        const all: unknown = yield context.df.Task.all(calls);
        return [all, yield context.df.callActivity("greet", "after")];
      },
      undefined,
      { activities: { a: flaky(2), b: flaky(0), c: flaky(3) } },
    );

    expect((await hub.skippingTimers("one")).output).toEqual([["done", "done", "done"], "Hello after"]);
  });
});

describe("timers and events", () => {
  test("a timer delays its orchestration until it is due", async () => {
    const { hub } = await outcomeOf(function* (context) {
      const start = context.df.currentUtcDateTime.getTime();
      yield context.df.createTimer(new Date(start + MINUTE_MS));
      return context.df.currentUtcDateTime.getTime() - start;
    });

    await expect.poll(() => hub.clock.waits()).toEqual([MINUTE_MS]);
    hub.clock.advance(MINUTE_MS - 1);
    expect((await hub.status("one")).runtimeStatus).toBe("Running");
    hub.clock.advance(1);
    expect((await hub.finished("one")).output).toBe(MINUTE_MS);
  });

  test("a timer of weeks is set in steps of three days", async () => {
    const DAY_MS = 1440 * MINUTE_MS;
    const { hub } = await outcomeOf(function* (context) {
      yield context.df.createTimer(new Date(context.df.currentUtcDateTime.getTime() + 10 * DAY_MS));
      return yield context.df.callActivity("greet", "later");
    });

    const steps: number[] = [];
    for (let i = 0; i < 3; i += 1) {
      await expect.poll(() => hub.clock.waits().length).toBe(1);
      steps.push(...hub.clock.waits());
      hub.clock.advance(steps.at(-1) ?? 0);
    }
    expect((await hub.finished("one")).output).toBe("Hello later");
    expect(steps).toEqual([3 * DAY_MS, 3 * DAY_MS, 4 * DAY_MS]);
  });

  const raced: OrchestrationHandler = function* (context) {
    const event = context.df.waitForExternalEvent("approval");
    const timeout = context.df.createTimer(new Date(context.df.currentUtcDateTime.getTime() + MINUTE_MS));
    const winner: unknown = yield context.df.Task.any([event, timeout]);
    if (winner !== event) return "too late";
    timeout.cancel();
    return event.result;
  };

  test("an event wins over its time-out", async () => {
    const { hub } = await outcomeOf(raced);
    await hub.until("one", "Running");
    expect((await hub.raise("one", "approval", { by: "Ada" })).status).toBe(202);

    expect((await hub.finished("one")).output).toEqual({ by: "Ada" });
    expect(hub.clock.waits()).toEqual([]);
  });

  test("a time-out wins over an event that does not come", async () => {
    const { hub } = await outcomeOf(raced);
    await hub.skipTimer();

    expect((await hub.finished("one")).output).toBe("too late");
  });

  test("an event that comes before it is waited for is kept, in order", async () => {
    const { hub } = await outcomeOf(function* (context) {
      yield context.df.waitForExternalEvent("go");
      const first: unknown = yield context.df.waitForExternalEvent("item");
      return [first, yield context.df.waitForExternalEvent("item")];
    });
    await hub.raise("one", "item", 1);
    await hub.raise("one", "item", 2);
    await hub.raise("one", "go");

    expect((await hub.finished("one")).output).toEqual([1, 2]);
  });
});

describe("sub-orchestrations", () => {
  const child: OrchestrationHandler = function* (context) {
    const name: string = context.df.getInput();
    const greeting: string = yield context.df.callActivity("greet", name);
    return { greeting, parent: context.df.parentInstanceId };
  };

  test("return their result to their parent", async () => {
    const { hub, status } = await outcomeOf(
      function* (context) {
        return yield context.df.Task.all(
          ["a", "b"].map((name) => context.df.callSubOrchestrator("child", name, `child-${name}`)),
        );
      },
      undefined,
      { orchestrators: { child } },
    );

    expect((await status()).output).toEqual([
      { greeting: "Hello a", parent: "one" },
      { greeting: "Hello b", parent: "one" },
    ]);
    expect(await hub.status("child-a")).toMatchObject({ name: "child", runtimeStatus: "Completed", input: "a" });
  });

  test("get an id of their own when none is given", async () => {
    const { hub, status } = await outcomeOf(
      function* (context) {
        return yield context.df.callSubOrchestrator("child", "a");
      },
      undefined,
      { orchestrators: { child } },
    );

    expect((await status()).runtimeStatus).toBe("Completed");
    const all = (await (await hub.send("GET", "instances")).json()) as { instanceId: string }[];
    expect(all.map(({ instanceId }) => instanceId).filter((id) => id !== "one")).toEqual([
      expect.stringMatching(/^[0-9a-f]{32}:0$/),
    ]);
  });

  test("fail their parent with their own message", async () => {
    const { status } = await outcomeOf(
      function* (context) {
        yield context.df.callSubOrchestrator("child", "a");
      },
      undefined,
      {
        orchestrators: {
          child: function* (context) {
            yield context.df.callActivity("fail", "deep down");
          },
        },
      },
    );

    const failures = ["Orchestrator function 'main'", "Orchestrator function 'child'", "Activity function 'fail'"];
    const message = [...failures, "deep down"].join(" failed: ");
    expect(String((await status()).output).slice(0, message.length)).toBe(message);
  });

  test("are retried with a new id", async () => {
    let runs = 0;
    const { hub } = await outcomeOf(
      function* (context) {
        return yield context.df.callSubOrchestratorWithRetry("child", retry(3), "x");
      },
      undefined,
      {
        orchestrators: {
          child: function* (context) {
            runs += 1;
            if (runs === 1) throw new Error("first time");
            return yield context.df.callActivity("greet", context.df.getInput());
          },
        },
      },
    );
    await hub.skipTimer();

    expect((await hub.finished("one")).output).toBe("Hello x");
  });

  test("replace whoever is alive under their id, and nothing of that counts any more", async () => {
    let goOn = (_: string): void => undefined;
    const { hub } = await outcomeOf(
      function* (context) {
        if (context.df.getInput() === "work") return yield context.df.callActivity("slow");
        if (context.df.getInput() === "wait") return yield context.df.waitForExternalEvent("go");
        return yield context.df.callSubOrchestrator("main", "wait", "taken");
      },
      "wait",
      { activities: { slow: () => new Promise((resolve) => (goOn = resolve)) } },
    );
    await hub.start("main", "taken", "work");
    await expect.poll(() => hub.pool.calls).toEqual(["slow(null)"]);
    await hub.start("main", "parent", "call");
    await expect.poll(async () => (await hub.status("taken")).input).toBe("wait");
    goOn("too late");

    await hub.raise("taken", "go", "ok");
    expect((await hub.finished("parent")).output).toBe("ok");
    expect((await hub.status("taken")).output).toBe("ok");
  });

  test("that are terminated fail their parent outside of its code", async () => {
    const { hub, status } = await outcomeOf(
      function* (context) {
        try {
          return yield context.df.callSubOrchestrator("waits", null, "child");
        } catch {
          return "caught";
        }
      },
      undefined,
      {
        orchestrators: {
          waits: function* (context) {
            yield context.df.waitForExternalEvent("go");
          },
        },
      },
    );
    await hub.until("child", "Running");
    await hub.send("POST", "instances/child/terminate?reason=enough");

    expect(await status()).toMatchObject({
      runtimeStatus: "Failed",
      output: expect.stringContaining("could not parse its exception data") as string,
    });
  });

  test("cannot have the id of their parent", async () => {
    const { status } = await outcomeOf(function* (context) {
      yield context.df.callSubOrchestrator("main", null, "ONE");
    });

    expect((await status()).output).toMatch(/must be different than the instance ID of a parent/);
  });
});
