import { afterAll, describe, expect, test } from "vitest";
import { FunctionFailedError, type InvocationResult, type TypedData } from "../../../../local/host/contract.ts";
import type { AppFunction } from "../../../../local/host/triggers/app-function.ts";
import { timerTriggers } from "../../../../local/host/triggers/timers.ts";
import { aClock, aFolder, removeFolders } from "../fixture.ts";

afterAll(removeFolders);

const done: InvocationResult = { outputs: [] };

const aTimer = (options: object, run: () => Promise<InvocationResult> = async () => done) => {
  const inputs: { IsPastDue: boolean; ScheduleStatus: object | null }[] = [];
  const timer: AppFunction = {
    name: "nightly",
    triggerType: "timertrigger",
    trigger: { type: "timerTrigger", direction: "in", schedule: "0 0 1 * * *", ...options },
    bindings: {},
    run: (data: TypedData) => {
      inputs.push(JSON.parse(data.json ?? ""));
      return run();
    },
  };
  return { timer, inputs };
};

/** Lets pending promises of a timer settle. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

const start = async (timer: AppFunction, at: string, dir?: string) => {
  const clock = aClock(at);
  const triggers = timerTriggers([timer], { clock, dir: dir ?? (await aFolder()), log: () => {} });
  triggers.start();
  await settle();
  const put = async (time: string) => {
    clock.advanceTo(time);
    await settle();
  };
  return { ...triggers, put };
};

describe("a timer", () => {
  test("fires once for each occurrence", async () => {
    const { timer, inputs } = aTimer({});
    const { put } = await start(timer, "2026-11-20T00:00:00Z");
    for (const day of ["20", "21", "22"]) await put(`2026-11-${day}T01:00:00Z`);
    expect(inputs.map(({ IsPastDue }) => IsPastDue)).toEqual([false, false, false]);
    expect(inputs[2]?.ScheduleStatus).toEqual({
      Last: "2026-11-21T01:00:00.000Z",
      Next: "2026-11-22T01:00:00.000Z",
      LastUpdated: "2026-11-21T01:00:00.000Z",
    });
  });

  test("makes up for missed occurrences by one run after the host was down", async () => {
    const dir = await aFolder();
    const { timer, inputs } = aTimer({});
    const first = await start(timer, "2026-11-20T00:00:00Z", dir);
    await first.put("2026-11-20T01:00:00Z");
    first.stop();
    const second = await start(timer, "2026-11-23T12:00:00Z", dir);
    second.stop();
    await start(timer, "2026-11-23T13:00:00Z", dir);
    expect(inputs.map(({ IsPastDue }) => IsPastDue)).toEqual([false, true]);
  });

  test("is not past due by another schedule, or by a clock that was ahead", async () => {
    const dir = await aFolder();
    const { timer, inputs } = aTimer({});
    const first = await start(timer, "2026-11-20T00:00:00Z", dir);
    first.stop();
    const other = aTimer({ schedule: "0 0 2 * * *" });
    const second = await start(other.timer, "2026-11-20T12:00:00Z", dir);
    second.stop();
    const third = await start(timer, "2026-11-19T00:00:00Z", dir);
    await third.put("2026-11-19T01:00:00Z");
    expect([other.inputs.length, inputs.map(({ IsPastDue }) => IsPastDue)]).toEqual([0, [false]]);
  });

  test("does not overlap itself, and makes up for missed occurrences by one run", async () => {
    const finish: (() => void)[] = [];
    const { timer, inputs } = aTimer({}, () => new Promise((resolve) => finish.push(() => resolve(done))));
    const { put } = await start(timer, "2026-11-20T00:00:00Z");
    await put("2026-11-20T01:00:00Z");
    await put("2026-11-23T00:00:00Z");
    expect(inputs.length).toBe(1);

    finish[0]?.();
    await settle();
    await put("2026-11-23T00:00:01Z");
    expect(inputs.length).toBe(2);
    finish[1]?.();
    await settle();
    await put("2026-11-23T00:59:59Z");
    expect(inputs.length).toBe(2);
  });

  test("goes on after a failure", async () => {
    const { timer, inputs } = aTimer({}, async () => {
      throw new FunctionFailedError("nightly", "no", "");
    });
    const { put } = await start(timer, "2026-11-20T00:00:00Z");
    await put("2026-11-20T01:00:00Z");
    await put("2026-11-21T01:00:00Z");
    expect(inputs.length).toBe(2);
  });

  test("does not fire after it is stopped", async () => {
    const { timer, inputs } = aTimer({});
    const { put, stop } = await start(timer, "2026-11-20T00:00:00Z");
    stop();
    await put("2026-11-20T01:00:00Z");
    expect(inputs).toEqual([]);
  });

  test("of less than a minute is not watched", async () => {
    const { timer, inputs } = aTimer({ schedule: "*/30 * * * * *", runOnStartup: true });
    await start(timer, "2026-11-20T00:00:00Z");
    expect(inputs[0]).toMatchObject({ ScheduleStatus: null, IsPastDue: false });
  });
});
