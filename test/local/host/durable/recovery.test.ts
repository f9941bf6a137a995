import { appendFile, readdir, readFile, truncate } from "node:fs/promises";
import { join } from "node:path";
import { type OrchestrationHandler, RetryOptions } from "durable-functions";
import { describe, expect, test } from "vitest";
import { createHub, type Hub } from "../../../../local/host/durable/hub.ts";
import { largeValues } from "../../../../local/host/durable/large-values.ts";
import type { Line } from "../../../../local/host/durable/record.ts";
import { fileStore, type Store } from "../../../../local/host/durable/store.ts";
import { eventually } from "../../../support/eventually.ts";
import { aDirectory, aTaskHub, handClock } from "./hub-under-test.ts";
import { type ReplayPool, replayPool } from "./replay-pool.ts";

/** Every feature of the hub in one run: retries, a fan-out, a child, a timer, an event, a second generation. */
const saga: OrchestrationHandler = function* (context) {
  const generation: number = context.df.getInput();
  const step = (name: string) => `${name}-${generation}`;
  const first: string = yield context.df.callActivityWithRetry("flaky", new RetryOptions(1000, 3), step("first"));
  const fanned: string[] = yield context.df.Task.all(
    ["a", "b", "c"].map((name) => context.df.callActivity("work", step(name))),
  );
  const child: string = yield context.df.callSubOrchestrator("child", step("child"), "child");
  yield context.df.createTimer(new Date(context.df.currentUtcDateTime.getTime() + 5000));
  const event: string = yield context.df.waitForExternalEvent(step("go"));
  if (generation === 1) {
    context.df.continueAsNew(2);
    return undefined;
  }
  return [first, ...fanned, child, event];
};

const child: OrchestrationHandler = function* (context) {
  return yield context.df.callActivity("work", context.df.getInput());
};

const OUTPUT = ["first-2", "a-2", "b-2", "c-2", "child-2", "event-2"];

const app = () => {
  const failed = new Set<string>();
  return {
    orchestrators: { saga, child },
    activities: {
      work: (input: string) => input,
      flaky(input: string) {
        if (failed.has(input)) return input;
        failed.add(input);
        throw new Error("the first time");
      },
    },
  };
};

type Crash = "before" | "after" | "half";

/** A store that stops answering at its n-th write: before it, after it, or in the middle of it. */
const crashingStore = (directory: string, at: number, crash: Crash) => {
  const store = fileStore(directory);
  /** Inputs of the activities whose outcome was written to disk. */
  const completed = new Set<string>();
  const inputs = new Map<string, string>();
  let writes = 0;
  let isDown = false;
  let reportDown = (): void => undefined;
  const down = new Promise<"down">((resolve) => {
    reportDown = () => {
      isDown = true;
      resolve("down");
    };
  });
  const never = new Promise<never>(() => undefined);

  const note = (instanceId: string, line: Line): void => {
    if (line.type === "turn") {
      for (const task of [...line.called, ...line.followUps]) {
        if (task.kind === "activity") inputs.set(`${instanceId}/${task.id}`, JSON.stringify(task.input));
      }
    }
    if (line.type !== "message" || line.message.kind !== "completed") return;
    const input = inputs.get(`${instanceId}/${line.message.taskId}`);
    if (input !== undefined) completed.add(input);
  };

  const fate = async (
    instanceId: string,
    line: Line,
    write: (durable?: () => void) => Promise<void>,
  ): Promise<void> => {
    writes += 1;
    if (writes > at) return never;
    if (writes < at) {
      note(instanceId, line);
      return write();
    }
    if (crash === "after") {
      await write(() => undefined);
      note(instanceId, line);
    }
    if (crash === "half" && line.type !== "start") {
      await store.close();
      const text = JSON.stringify(line);
      const path = join(directory, `${instanceId}.jsonl`);
      await appendFile(path, text.slice(0, Math.floor(text.length / 2)));
    }
    reportDown();
    return never;
  };

  const crashing: Store = {
    ...store,
    append: (id, line, durable) => fate(id, line, (instead) => store.append(id, line, instead ?? durable)),
    replace(id, line, durable) {
      const made = line();
      if (made === undefined) return Promise.resolve();
      return fate(id, made, (instead) => store.replace(id, () => made, instead ?? durable));
    },
  };
  return { store: crashing, completed, down, isDown: () => isDown };
};

const startHub = async (dir: string, pool: ReplayPool, store: Store) => {
  const clock = handClock();
  const hub = createHub({
    store,
    pool,
    clock,
    values: largeValues(join(dir, "large")),
    maxConcurrentActivities: 10,
    maxConcurrentOrchestrators: 10,
    deliverActivitiesTwice: false,
    log: () => undefined,
  });
  await hub.start();
  return { hub, clock };
};

/** Acts as a persistent client, and moves the clock, until the saga has ended. */
const drive = async (
  { hub, clock }: { hub: Hub; clock: ReturnType<typeof handClock> },
  isDown: () => boolean = () => false,
) => {
  if (hub.get("saga") === undefined) await hub.startNew({ name: "saga", instanceId: "saga", input: "1" });
  const raised = new Set<number>();
  const raiseOnce = async () => {
    const loaded = hub.get("saga");
    const generation = (loaded?.instance.start.generation ?? 0) + 1;
    if (loaded === undefined || raised.has(generation)) return;
    raised.add(generation);
    await hub.raiseEvent(loaded, `go-${generation}`, `"event-${generation}"`);
  };
  await eventually("end of the saga", async () => {
    await raiseOnce();
    clock.advance(clock.waits()[0] ?? 0);
    return isDown() || hub.get("saga")?.instance.end !== undefined || undefined;
  });
};

/** Checks in the files of a task hub that a saga succeeded. */
const outcomeOf = (hub: Hub) => {
  const end = hub.get("saga")?.instance.end;
  return end?.status === "Completed" ? (JSON.parse(String(end.output)) as unknown) : end;
};

describe("a host that is killed", () => {
  /** Kills a host at its n-th write, and lets a second one finish the saga; false when there were fewer writes. */
  const killedAndResumed = async (at: number, crash: Crash): Promise<boolean> => {
    const dir = await aDirectory();
    const handlers = app();
    const killed = crashingStore(join(dir, "instances"), at, crash);
    const first = await startHub(dir, replayPool(handlers), killed.store);
    const over = drive(first, killed.isDown).then(() => "over");
    if ((await Promise.race([over, killed.down])) === "over") {
      await first.hub.stop();
      return false;
    }
    const pool = replayPool(handlers);
    const second = await startHub(dir, pool, fileStore(join(dir, "instances")));
    await drive(second);
    const again = pool.calls.filter((call) => killed.completed.has(call.slice(call.indexOf("(") + 1, -1)));
    await second.hub.stop();
    expect({ at, outcome: outcomeOf(second.hub), again }).toEqual({ at, outcome: OUTPUT, again: [] });
    return true;
  };

  test.each(["before", "after", "half"] as const)("%s any of its writes takes up where it was", async (crash) => {
    const crashes = await Promise.all(Array.from({ length: 50 }, (_, index) => killedAndResumed(index + 1, crash)));
    expect(crashes.lastIndexOf(true)).toBeGreaterThan(25);
    expect(crashes.at(-1)).toBe(false);
  });

  test("in the middle of a line ignores that line, at whatever byte it was torn", async () => {
    const dir = await aDirectory();
    const store = () => fileStore(join(dir, "TestHub", "instances"));
    const finished = await aTaskHub(app(), { dir });
    await finished.start("child", "one", "x");
    await finished.finished("one");
    await finished.hub.stop();
    const path = join(dir, "TestHub", "instances", "one.jsonl");
    const whole = await readFile(path);

    for (let size = whole.length - 1; size > whole.indexOf("\n"); size -= 7) {
      await truncate(path, size);
      const lines: Line[][] = [];
      for await (const found of store().readAll()) lines.push(found);
      expect(lines[0]?.[0]?.type).toBe("start");
      expect((await readFile(path)).at(-1)).toBe("\n".charCodeAt(0));
    }
    const resumed = await aTaskHub(app(), { dir });
    expect((await resumed.finished("one")).output).toBe("x");
  });
});

describe("a host that is stopped", () => {
  test("delivers the activities under way again at its next start", async () => {
    const dir = await aDirectory();
    const stuck = { ...app(), activities: { work: () => new Promise(() => undefined) } };
    const first = await aTaskHub(stuck, { dir });
    await first.start("child", "one", "x");
    await expect.poll(() => first.pool.calls).toEqual(['work("x")']);
    await first.hub.stop();

    const second = await aTaskHub(app(), { dir });
    expect((await second.finished("one")).output).toBe("x");
  });

  test("sets its timers again, and fires at once those that are due by then", async () => {
    const dir = await aDirectory();
    const sleeper: OrchestrationHandler = function* (context) {
      yield context.df.createTimer(new Date(context.df.currentUtcDateTime.getTime() + 60_000));
    };
    const first = await aTaskHub({ orchestrators: { sleeper } }, { dir });
    await first.start("sleeper", "one");
    await expect.poll(() => first.clock.waits()).toEqual([60_000]);
    await first.hub.stop();

    const second = await aTaskHub(
      { orchestrators: { sleeper } },
      { dir, clock: handClock(first.clock.now() + 120_000) },
    );
    expect((await second.finished("one")).runtimeStatus).toBe("Completed");
  });
});

describe("a task hub's folder", () => {
  test("with an invalid line is refused, by file and line", async () => {
    const dir = await aDirectory();
    const hub = await aTaskHub(app(), { dir });
    await hub.start("child", "one", "x");
    await hub.finished("one");
    await hub.hub.stop();
    await appendFile(join(dir, "TestHub", "instances", "one.jsonl"), "not json\n");

    await expect(aTaskHub(app(), { dir })).rejects.toThrow(/one\.jsonl:\d+ is not a line of the task hub/);
  });

  test("distinguishes ids that file systems confuse", async () => {
    const hub = await aTaskHub(app());
    const ids = ["a*b", ".hidden", "a b", "é".repeat(80), "a:b"];
    for (const id of ids) await hub.start("child", encodeURIComponent(id), id);
    for (const id of ids) expect((await hub.finished(encodeURIComponent(id))).output).toBe(id);
    expect(await readdir(join(hub.dir, "TestHub", "instances"))).toHaveLength(ids.length);
  });
});
