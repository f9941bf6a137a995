import { InvocationContext } from "@azure/functions";
import type { OrchestrationHandler } from "durable-functions";
import { describe, expect, test } from "vitest";
import * as z from "zod";
import { call, defineActivity, implement } from "../../../shared/durable/activity.ts";
import { runOrchestrator } from "../../support/run-orchestrator.ts";

const double = defineActivity({
  name: "double",
  input: z.object({ n: z.coerce.number() }),
  output: z.object({ twice: z.int() }),
  retry: { firstIntervalMs: 1_000, attempts: 3, backoff: 2 },
});
const times2 = ({ n }: { n: number }) => ({ twice: n * 2 });

describe("implement", () => {
  const context = new InvocationContext({ functionName: "double" });

  test("parses the input", async () => {
    const handler = implement(double, async ({ n }) => ({ twice: n * 2 }));

    expect(await handler({ n: "21", more: "left out" }, context)).toEqual({ twice: 42 });
    await expect(handler({ n: "x" }, context)).rejects.toThrow(z.ZodError);
    await expect(handler(null, context)).rejects.toThrow(z.ZodError);
  });

  test("drops fields of the result that the contract does not have", async () => {
    const leaking = implement(double, async () => ({ twice: 1, importUrl: "https://s3cret" }));
    expect(await leaking({ n: 1 }, context)).toEqual({ twice: 1 });

    const wrong = implement(double, async () => ({ twice: 1.5 }));
    await expect(wrong({ n: 1 }, context)).rejects.toThrow(z.ZodError);
  });
});

describe("call", () => {
  const orchestrator: OrchestrationHandler = function* (context) {
    const { twice } = yield* call(context, double, { n: 21 });
    return twice;
  };

  test("schedules by the contract's name, and returns the parsed result", async () => {
    const run = await runOrchestrator(orchestrator, { input: null, activities: { double: times2 } });

    expect(run).toMatchObject({ output: 42, calls: [{ name: "double", input: { n: 21 } }] });
  });

  test("tries as often as the contract says", async () => {
    let tries = 0;
    const failing = (times: number) => () => {
      tries += 1;
      if (tries <= times) throw new Error("out of order");
      return { twice: tries };
    };

    expect((await runOrchestrator(orchestrator, { input: null, activities: { double: failing(2) } })).output).toBe(3);
    tries = 0;
    const spent = runOrchestrator(orchestrator, { input: null, activities: { double: failing(3) } });
    await expect(spent).rejects.toThrow("out of order");
    expect(tries).toBe(3);
  });

  test.each([
    "Exception while executing function: node exited with code 137 (0x89).",
    "Did not find any initialized language workers",
    "The specified pop receipt did not match the pop receipt for a dequeued message.",
  ])("tries three times as often what the infrastructure lost: %s", async (reason) => {
    let tries = 0;
    const lost = (times: number) => () => {
      tries += 1;
      if (tries <= times) throw new Error(reason);
      return { twice: tries };
    };

    expect((await runOrchestrator(orchestrator, { input: null, activities: { double: lost(8) } })).output).toBe(9);
    tries = 0;
    const spent = runOrchestrator(orchestrator, { input: null, activities: { double: lost(9) } });
    await expect(spent).rejects.toThrow("double lost its process in each of 9 tries");
    expect(tries).toBe(9);
  });

  test.each([
    ["another-one", 9],
    ["double", 3],
  ])("counts a time limit that %s passed, by %i tries", async (late, expected) => {
    let tries = 0;
    const slow = () => {
      tries += 1;
      throw new Error(`Timeout value of 00:10:00 exceeded by function: Functions.${late}`);
    };
    await runOrchestrator(orchestrator, { input: null, activities: { double: slow } }).catch(() => undefined);

    expect(tries).toBe(expected);
  });

  test("waits between tries, longer each time", async () => {
    let tries = 0;
    const timed: OrchestrationHandler = function* (context) {
      const before = context.df.currentUtcDateTime.getTime();
      yield* call(context, double, { n: 1 });
      return context.df.currentUtcDateTime.getTime() - before;
    };
    const flaky = () => {
      tries += 1;
      if (tries < 3) throw new Error("not yet");
      return { twice: 2 };
    };
    expect((await runOrchestrator(timed, { input: null, activities: { double: flaky } })).output).toBe(3_000);
  });

  test("fails on a result that does not match the contract", async () => {
    const run = runOrchestrator(orchestrator, { input: null, activities: { double: () => ({ twice: "x" }) } });
    await expect(run).rejects.toThrow(/twice/);
  });
});
