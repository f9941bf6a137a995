import type { OrchestrationHandler } from "durable-functions";
import { describe, expect, test } from "vitest";
import { sharedTimes } from "../../../../local/host/turn-times.ts";
import { aTaskHub, handClock } from "./hub-under-test.ts";

const START_MS = Date.parse("2026-11-22T01:00:00Z");

/** A seed by which a whole stretch from the start shares one millisecond. */
const seedThatShares = (): number => {
  for (let seed = 0; ; seed += 1) if (sharedTimes(seed)(START_MS + 99) === START_MS) return seed;
};

const twoTurns: OrchestrationHandler = function* (context) {
  const began = context.df.currentUtcDateTime.getTime();
  const guid = context.df.newGuid("run");
  yield context.df.callActivity("echo", "between");
  return { began, guid, ended: context.df.currentUtcDateTime.getTime() };
};

const waits: OrchestrationHandler = function* (context) {
  const times = [context.df.currentUtcDateTime.getTime()];
  for (const waitMs of [30, 45, 7]) {
    const due = new Date(context.df.currentUtcDateTime.getTime() + waitMs);
    yield context.df.createTimer(due);
    times.push(due.getTime(), context.df.currentUtcDateTime.getTime());
  }
  return times;
};

interface Turns {
  readonly began: number;
  readonly guid: string;
  readonly ended: number;
}

const aHub = async (seed?: number) => {
  const clock = handClock(START_MS + 3);
  const app = { orchestrators: { twoTurns, waits }, activities: { echo: (value: unknown) => value } };
  return aTaskHub(app, { clock, turnTime: seed === undefined ? undefined : sharedTimes(seed) });
};

const twoInstances = async (hub: Awaited<ReturnType<typeof aHub>>): Promise<Turns[]> => {
  await hub.start("twoTurns", "one");
  const one = await hub.finished("one");
  hub.clock.advance(60);
  await hub.start("twoTurns", "two");
  return [one.output, (await hub.finished("two")).output] as Turns[];
};

describe("instances whose times are cut", () => {
  test("have turns in one millisecond although the clock went on, and so the same GUIDs", async () => {
    const [one, two] = await twoInstances(await aHub(seedThatShares()));

    expect([one?.began, one?.ended, two?.began, two?.ended]).toEqual(Array(4).fill(START_MS));
    expect(one?.guid).toBe(two?.guid);
  });

  test("have turns of their own without", async () => {
    const [one, two] = await twoInstances(await aHub());

    expect([one?.began, two?.began]).toEqual([START_MS + 3, START_MS + 63]);
    expect(one?.guid).not.toBe(two?.guid);
  });

  test("never see a timer before it is due, nor time that goes back", async () => {
    const hub = await aHub(seedThatShares());
    await hub.start("waits", "id");

    const { output } = await hub.skippingTimers("id");

    const times = output as number[];
    expect(times[0]).toBe(START_MS);
    expect(times).toEqual(times.toSorted((a, b) => a - b));
  });
});
