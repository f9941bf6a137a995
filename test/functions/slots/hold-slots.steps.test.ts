import type { OrchestrationContext, OrchestrationHandler, Task } from "durable-functions";
import { describe, expect, test } from "vitest";
import type * as z from "zod";
import { holdSlots, type SlotUse, withSlots } from "../../../functions/slots/hold-slots.steps.ts";
import type { shareSlots } from "../../../functions/slots/slots.contract.ts";
import { pause } from "../../../shared/durable/pause.ts";
import type { BlockedError } from "../../../shared/durable/waits.ts";
import { aKey } from "../../shared/vault/samples.ts";
import { OrchestratorFailedError, runOrchestrator } from "../../support/run-orchestrator.ts";

type Asking = z.output<typeof shareSlots.input>;

const useOf = (): SlotUse => ({ mailboxKey: aKey, holder: "a-run", user: "restore" });

/** An activity that grants these numbers one after the other, and after them the number that is wanted. */
const granting = (...grants: readonly number[]) => {
  const answers = [...grants];
  return { "share-slots": ({ wanted }: Asking) => ({ granted: answers.shift() ?? wanted }) };
};

const holding: OrchestrationHandler = function* (context) {
  return yield* holdSlots(context, useOf(), 4, 100_000);
};

const askingsOf = ({ calls }: { calls: readonly { input: unknown }[] }): Asking[] =>
  calls.map(({ input }) => input as Asking);

describe("holdSlots", () => {
  test("asks for the slots that are wanted, for longer than the lanes take", async () => {
    const now = new Date("2026-11-22T01:00:00Z");
    const run = await runOrchestrator(holding, { input: null, activities: granting(), instanceId: "restore-1", now });

    expect(run).toMatchObject({ output: { slots: 4 }, timers: [] });
    const asked = { job: "restore-1", asking: expect.any(String), askedAt: now.getTime(), wanted: 4, holdMs: 220_000 };
    expect(run.calls).toEqual([{ name: "share-slots", input: { ...useOf(), ...asked } }]);
    expect(run.output).toMatchObject({ hold: { holder: "a-run", asking: askingsOf(run)[0]?.asking } });
  });

  test("accepts fewer", async () => {
    expect(await runOrchestrator(holding, { input: null, activities: granting(1) })).toMatchObject({
      output: { slots: 1 },
    });
  });

  test.each([
    ["there is none", { granted: 0 }, { reason: "slots", askedMs: 0 }],
    ["storage is away", { awayMs: 7_000 }, { reason: "service", askedMs: 7_000 }],
  ])("ends the generation when %s", async (_, answer, blocked) => {
    const catching: OrchestrationHandler = function* (context) {
      try {
        return yield* holdSlots(context, useOf(), 4, 100_000);
      } catch (error) {
        const { name, reason, askedMs } = error as BlockedError;
        return { name, reason, askedMs };
      }
    };

    const run = await runOrchestrator(catching, { input: null, activities: { "share-slots": () => answer } });
    expect(run.output).toEqual({ name: "BlockedError", ...blocked });
  });

  test("asks under the same name when the activity is tried again, so that it is granted once", async () => {
    const names: string[] = [];
    const flaky = ({ asking, wanted }: Asking) => {
      names.push(asking);
      if (names.length === 1) throw new Error("storage is down");
      return { granted: wanted };
    };
    await runOrchestrator(holding, { input: null, activities: { "share-slots": flaky } });

    expect(names).toHaveLength(2);
    expect(new Set(names).size).toBe(1);
  });
});

describe("withSlots", () => {
  /** Holds two slots, and then does this. */
  const afterHolding = (
    work: (context: OrchestrationContext) => Generator<Task, unknown, unknown>,
  ): OrchestrationHandler =>
    function* (context) {
      const use = useOf();
      const holdAndWork = function* () {
        yield* holdSlots(context, use, 2, 1_000);
        return yield* work(context);
      };
      return yield* withSlots(context, use, holdAndWork());
    };

  // biome-ignore lint/correctness/useYield: work that needs no turn
  const nothing = function* () {
    return "done";
  };

  test("releases the slots after the work, by what they were asked by, and returns its result", async () => {
    const run = await runOrchestrator(afterHolding(nothing), { input: null, activities: granting() });

    expect(run.output).toBe("done");
    const [asked] = askingsOf(run);
    expect(askingsOf(run)).toMatchObject([{ wanted: 2 }, { ...useOf(), asking: asked?.asking, wanted: 0 }]);
  });

  test("releases the slots after work that failed, once, and fails with it", async () => {
    const failing = function* (context: OrchestrationContext) {
      yield* pause(context, 1_000);
      throw new Error("beyond repair");
    };
    const error: unknown = await runOrchestrator(afterHolding(failing), {
      input: null,
      activities: granting(),
    }).catch((e) => e);

    expect(error).toBeInstanceOf(OrchestratorFailedError);
    expect((error as OrchestratorFailedError).message).toContain("beyond repair");
    expect(askingsOf((error as OrchestratorFailedError).run)).toMatchObject([{ wanted: 2 }, { wanted: 0 }]);
  });

  test("releases nothing while the work goes on, and nothing that it does not hold", async () => {
    const waiting = function* (context: OrchestrationContext) {
      yield* pause(context, 3_600_000);
    };
    const run = await runOrchestrator(afterHolding(waiting), { input: null, activities: granting() });
    expect(run.timers).toEqual([3_600_000]);
    expect(askingsOf(run)).toHaveLength(2);

    const idle: OrchestrationHandler = function* (context) {
      return yield* withSlots(context, useOf(), nothing());
    };
    expect((await runOrchestrator(idle, { input: null, activities: granting() })).calls).toEqual([]);
  });

  test("ends though storage is away: the hold runs out by itself", async () => {
    const answers = [{ granted: 2 }, { awayMs: 0 }];
    const activities = { "share-slots": () => answers.shift() };

    expect((await runOrchestrator(afterHolding(nothing), { input: null, activities })).output).toBe("done");
  });
});
