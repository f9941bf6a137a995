import type { OrchestrationHandler } from "durable-functions";
import { describe, expect, test } from "vitest";
import { profileOf } from "../../../../local/host/profile.ts";
import { aDirectory, aTaskHub, handClock } from "./hub-under-test.ts";
import { replayPool } from "./replay-pool.ts";

const SCALE = 100;
const profile = profileOf("azure", SCALE);
const { invisible } = profile.delays;

const chain: OrchestrationHandler = function* (context) {
  yield context.df.callActivity("work", 1);
  return yield context.df.callActivity("work", 2);
};
const sleeper: OrchestrationHandler = function* (context) {
  const due = context.df.currentUtcDateTime.getTime() + 1_955;
  yield context.df.createTimer(new Date(due));
  return due - context.df.currentUtcDateTime.getTime();
};
const work = (n: number) => n;
const stuck = () => new Promise(() => undefined);

describe("where deaths count", () => {
  test("one during a turn fails its instance for good", async () => {
    const pool = replayPool({ orchestrators: { chain }, activities: { work } });
    const hub = await aTaskHub({ orchestrators: {} }, { pool, profile });
    pool.loseNext(1);
    await hub.start("chain", "one");

    expect(await hub.finished("one")).toMatchObject({
      runtimeStatus: "Failed",
      output: "Orchestrator function 'chain' failed: the process died",
    });
  });

  test("one during an activity fails that", async () => {
    const pool = replayPool({
      orchestrators: {
        caught: function* (context) {
          pool.loseNext(1);
          try {
            return yield context.df.callActivity("work", 1);
          } catch (error) {
            return String(error).split("\n")[0];
          }
        },
      },
      activities: { work },
    });
    const hub = await aTaskHub({ orchestrators: {} }, { pool, profile });
    await hub.start("caught", "one");

    expect((await hub.finished("one")).output).toBe("Error: Activity function 'work' failed: the process died ");
  });
});

describe("a timer", () => {
  test("comes early, since its delay is cut to whole seconds", async () => {
    const hub = await aTaskHub({ orchestrators: { sleeper } }, { profile });
    await hub.start("sleeper", "one");
    await expect.poll(() => hub.clock.waits()).toEqual([1_950]);
    hub.clock.advance(1_950);

    expect((await hub.finished("one")).output).toBe(5);
  });
});

describe("a host that dies", () => {
  /** A host that is gone without a word: nothing is given back. */
  const aDeadHost = async (activities: Record<string, () => unknown>, orchestrator = chain) => {
    const dir = await aDirectory();
    const dead = await aTaskHub({ orchestrators: { chain: orchestrator }, activities }, { dir, profile });
    await dead.start("chain", "one");
    return { dir, dead };
  };

  test("keeps what it had taken for five minutes", async () => {
    const { dir, dead } = await aDeadHost({ work: stuck });
    await expect.poll(() => dead.pool.calls).toEqual(["work(1)"]);

    const clock = handClock(dead.clock.now());
    const next = await aTaskHub({ orchestrators: { chain }, activities: { work } }, { dir, profile, clock });
    await expect.poll(() => clock.waits()).toEqual([invisible]);
    await next.start("chain", "two");
    expect((await next.finished("two")).output).toBe(2);
    expect((await next.status("one")).runtimeStatus).toBe("Running");
    clock.advance(invisible);

    expect((await next.finished("one")).output).toBe(2);
  });

  test("keeps nothing when it is stopped in order", async () => {
    const { dir, dead } = await aDeadHost({ work: stuck });
    await expect.poll(() => dead.pool.calls).toEqual(["work(1)"]);
    await dead.hub.stop();

    const next = await aTaskHub({ orchestrators: { chain }, activities: { work } }, { dir, profile });
    expect((await next.finished("one")).output).toBe(2);
  });

  test("and dies again keeps it on", async () => {
    const { dir, dead } = await aDeadHost({ work: stuck });
    await expect.poll(() => dead.pool.calls).toEqual(["work(1)"]);
    await aTaskHub({ orchestrators: { chain }, activities: { work } }, { dir, profile });

    const third = await aTaskHub({ orchestrators: { chain }, activities: { work } }, { dir, profile });
    expect((await third.status("one")).runtimeStatus).toBe("Running");
    third.clock.advance(invisible);
    expect((await third.finished("one")).output).toBe(2);
  });
});
