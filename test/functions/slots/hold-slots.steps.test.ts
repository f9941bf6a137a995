import type { OrchestrationHandler } from "durable-functions";
import { describe, expect, test } from "vitest";
import type * as z from "zod";
import { holdSlots, type SlotUse, withSlots } from "../../../functions/slots/hold-slots.steps.ts";
import type { shareSlots } from "../../../functions/slots/slots.contract.ts";
import { pause } from "../../../shared/durable/pause.ts";
import { aKey } from "../../shared/vault/samples.ts";
import { OrchestratorFailedError, runOrchestrator } from "../../support/run-orchestrator.ts";

type Asking = z.output<typeof shareSlots.input>;

const use: SlotUse = { mailboxKey: aKey, holder: "a-run", user: "restore" };

/** An activity that grants these numbers one after the other, and after them the number that is wanted. */
const granting = (...grants: readonly number[]) => {
  const answers = [...grants];
  return { "share-slots": ({ wanted }: Asking) => ({ granted: answers.shift() ?? wanted }) };
};

const holding: OrchestrationHandler = function* (context) {
  return yield* holdSlots(context, use, 4, 100_000);
};

const askingsOf = ({ calls }: { calls: readonly { input: unknown }[] }): Asking[] =>
  calls.map(({ input }) => input as Asking);

describe("holdSlots", () => {
  test("asks for the slots that are wanted, for longer than the lanes take", async () => {
    const run = await runOrchestrator(holding, { input: null, activities: granting() });

    expect(run).toMatchObject({ output: { slots: 4 }, timers: [] });
    expect(run.calls).toEqual([
      { name: "share-slots", input: { ...use, asking: expect.any(String), wanted: 4, holdMs: 220_000 } },
    ]);
  });

  test("accepts fewer", async () => {
    expect(await runOrchestrator(holding, { input: null, activities: granting(1) })).toMatchObject({
      output: { slots: 1 },
    });
  });

  test("asks again every five seconds while there is none, each time under another name", async () => {
    const run = await runOrchestrator(holding, { input: null, activities: granting(0, 0, 3) });

    expect(run).toMatchObject({ output: { slots: 3 }, timers: [5_000, 5_000] });
    expect(new Set(askingsOf(run).map(({ asking }) => asking)).size).toBe(3);
    expect(run.output).toMatchObject({ hold: { holder: use.holder, asking: askingsOf(run).at(-1)?.asking } });
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
  const released = { ...use, wanted: 0 };

  test("releases the slots after the work, and returns its result", async () => {
    const working: OrchestrationHandler = function* (context) {
      return yield* withSlots(context, use, holdSlots(context, use, 2, 1_000));
    };
    const run = await runOrchestrator(working, { input: null, activities: granting() });

    expect(run.output).toMatchObject({ slots: 2 });
    expect(askingsOf(run)).toMatchObject([{ ...use, wanted: 2 }, released]);
    expect(new Set(askingsOf(run).map(({ asking }) => asking)).size).toBe(2);
  });

  test("releases the slots after work that failed, once, and fails with it", async () => {
    const failing: OrchestrationHandler = function* (context) {
      const work = function* () {
        yield* pause(context, 1_000);
        throw new Error("beyond repair");
      };
      return yield* withSlots(context, use, work());
    };
    const error: unknown = await runOrchestrator(failing, { input: null, activities: granting() }).catch((e) => e);

    expect(error).toBeInstanceOf(OrchestratorFailedError);
    expect((error as OrchestratorFailedError).message).toContain("beyond repair");
    expect(askingsOf((error as OrchestratorFailedError).run)).toMatchObject([released]);
  });

  test("releases nothing while the work goes on", async () => {
    const log: string[] = [];
    const waiting: OrchestrationHandler = function* (context) {
      const work = function* () {
        yield* pause(context, 3_600_000);
        if (!context.df.isReplaying) log.push("worked");
      };
      return yield* withSlots(context, use, work());
    };
    const noting = () => {
      log.push("given back");
      return { granted: 0 };
    };
    await runOrchestrator(waiting, { input: null, activities: { "share-slots": noting } });

    expect(log).toEqual(["worked", "given back"]);
  });
});
