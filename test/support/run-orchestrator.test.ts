import { type OrchestrationHandler, RetryOptions } from "durable-functions";
import { describe, expect, test } from "vitest";
import { OrchestratorFailedError, runOrchestrator } from "./run-orchestrator.ts";

const failing = (times: number) => {
  let tries = 0;
  return () => {
    tries += 1;
    if (tries <= times) throw new Error("out of order");
    return tries;
  };
};

describe("runOrchestrator", () => {
  test("gives calls in the order of scheduling, and the output", async () => {
    const run = await runOrchestrator(
      function* (context) {
        const first: number = yield context.df.callActivity("double", 1);
        const both: number[] = yield context.df.Task.all([
          context.df.callActivity("double", first),
          context.df.callSubOrchestrator("child", { of: first }, "child-1"),
        ]);
        return [first, ...both];
      },
      { input: null, activities: { double: (n: number) => n * 2 }, orchestrators: { child: (_, id) => id } },
    );

    expect(run.calls).toEqual([
      { name: "double", input: 1 },
      { name: "double", input: 2 },
      { name: "child", input: { of: 2 }, instanceId: "child-1" },
    ]);
    expect(run.output).toEqual([2, 4, "child-1"]);
  });

  test("replays from the top, and passes every value as JSON", async () => {
    let starts = 0;
    const run = await runOrchestrator(
      function* (context) {
        starts += 1;
        const input = context.df.getInput();
        const echoed: unknown = yield context.df.callActivity("echo", { at: new Date(0), gone: undefined });
        const nothing: unknown = yield context.df.callActivity("nothing");
        return { input, echoed, nothing };
      },
      { input: { when: new Date(0) }, activities: { echo: (value) => value, nothing: () => undefined } },
    );

    const epoch = "1970-01-01T00:00:00.000Z";
    expect(run.output).toEqual({ input: { when: epoch }, echoed: { at: epoch }, nothing: null });
    expect(starts).toBe(3);
  });

  test("gives the input of the next generation, and does not run it", async () => {
    const run = await runOrchestrator(
      function* (context) {
        const generation: number = context.df.getInput();
        context.df.setCustomStatus(`generation ${generation}`);
        yield context.df.callActivity("work", generation);
        context.df.continueAsNew(generation + 1);
      },
      { input: 1, activities: { work: () => null } },
    );

    expect(run).toMatchObject({ continuedAs: 2, output: undefined, customStatuses: ["generation 1"] });
    expect(run.calls).toEqual([{ name: "work", input: 1 }]);
  });

  test("lets timers pass at once, and shows them", async () => {
    const sleeper: OrchestrationHandler = function* (context) {
      const wait = (ms: number) => context.df.createTimer(new Date(context.df.currentUtcDateTime.getTime() + ms));
      yield wait(60_000);
      yield wait(30 * 86_400_000);
      return context.df.currentUtcDateTime;
    };
    const run = await runOrchestrator(sleeper, { input: null, now: new Date("2026-01-01T00:00:00Z") });

    expect(run.timers).toEqual([60_000, 30 * 86_400_000]);
    expect(run.output).toBe("2026-01-31T00:01:00.000Z");
  });

  test("raises events in their time", async () => {
    const racer: OrchestrationHandler = function* (context) {
      const deadline = context.df.createTimer(new Date(context.df.currentUtcDateTime.getTime() + 1_000));
      const event = context.df.waitForExternalEvent("go");
      const winner = yield context.df.Task.any([deadline, event]);
      if (winner === event) deadline.cancel();
      return winner === event ? event.result : "late";
    };
    const outcome = async (afterMs: number) =>
      (await runOrchestrator(racer, { input: null, events: [{ name: "go", data: "in time", afterMs }] })).output;

    expect(await outcome(900)).toBe("in time");
    expect(await outcome(1_100)).toBe("late");
  });

  test("shows each custom status once, as the outside sees it", async () => {
    const run = await runOrchestrator(
      function* (context) {
        context.df.setCustomStatus("unseen");
        context.df.setCustomStatus({ step: 1 });
        yield context.df.callActivity("work");
        yield context.df.callActivity("work");
        context.df.setCustomStatus({ step: 2 });
      },
      { input: null, activities: { work: () => null } },
    );

    expect(run.customStatuses).toEqual([{ step: 1 }, { step: 2 }]);
  });

  describe("with a stub that throws", () => {
    const insistent: OrchestrationHandler = function* (context) {
      try {
        return yield context.df.callActivityWithRetry("flaky", new RetryOptions(1_000, 3));
      } catch (error) {
        return String(error);
      }
    };

    test("throws into the orchestrator once the retries are spent", async () => {
      const outcome = (times: number) =>
        runOrchestrator(insistent, { input: null, activities: { flaky: failing(times) } });

      expect(await outcome(2)).toMatchObject({ output: 3, calls: [{ name: "flaky" }], timers: [] });
      expect((await outcome(3)).output).toMatch(/out of order/);
    });

    test("throws at once without retries", async () => {
      const run = await runOrchestrator(insistent, { input: null, retries: false, activities: { flaky: failing(1) } });

      expect(run.output).toMatch(/out of order/);
    });

    test("fails the run when the orchestrator does, with what it did", async () => {
      const failure = await runOrchestrator(
        function* (context) {
          yield context.df.callActivity("works");
          yield context.df.callSubOrchestrator("child", 1, "child-1");
        },
        { input: null, activities: { works: () => null }, orchestrators: { child: failing(1) } },
      ).catch((error: unknown) => error);

      expect(failure).toBeInstanceOf(OrchestratorFailedError);
      expect(failure).toMatchObject({
        message: expect.stringContaining("out of order"),
        run: { calls: [{ name: "works" }, { name: "child", instanceId: "child-1" }] },
      });
    });
  });

  describe("refuses", () => {
    test.each<[string, (replay: number) => Record<string, unknown>]>([
      ["an input", (replay) => ({ input: replay })],
      ["a name", (replay) => ({ name: replay === 1 ? "work" : "other" })],
      ["a missing call", (replay) => ({ call: replay !== 2 })],
      ["a timer", (replay) => ({ timerMs: replay })],
    ])("a replay that differs in %s", async (_, stepOf) => {
      let replay = 0;
      const drifting: OrchestrationHandler = function* (context) {
        replay += 1;
        const { name = "work", input = 0, call = true, timerMs = 0 } = stepOf(replay);
        if (call) yield context.df.callActivity(String(name), input);
        yield context.df.createTimer(new Date(context.df.currentUtcDateTime.getTime() + Number(timerMs)));
        yield context.df.callActivity("work", "last");
      };
      const activities = { work: () => null, other: () => null };

      await expect(runOrchestrator(drifting, { input: null, activities })).rejects.toThrow(
        /drifting is not deterministic: it did .+ first, then/,
      );
    });

    test("an activity without a stub", async () => {
      const caller: OrchestrationHandler = function* (context) {
        yield context.df.callActivity("missing");
      };
      await expect(runOrchestrator(caller, { input: null })).rejects.toThrow(/missing/);
    });

    test("a wait for what never comes", async () => {
      const waiter: OrchestrationHandler = function* (context) {
        yield context.df.waitForExternalEvent("never");
      };
      await expect(runOrchestrator(waiter, { input: null })).rejects.toThrow("waiter waits for what never comes");
    });
  });
});
