import { InvocationContext } from "@azure/functions";
import type { DurableClient } from "durable-functions";
import { describe, expect, test } from "vitest";
import { closeJob, findContinuations, openJobs } from "../../../functions/jobs/open-jobs.ts";
import { recordingStarts } from "../../../functions/jobs/recorded-starts.ts";
import { watchJobs } from "../../../functions/jobs/watch-jobs.timer.ts";
import { findWish, makeWish } from "../../../functions/jobs/wishes.ts";
import { memoryBlobs } from "../../shared/storage/memory-blobs.ts";
import { all } from "../../shared/vault/samples.ts";
import { aFakeHub } from "../fake-hub.ts";

const JOB = "backup-tenant";
const INPUT = { trigger: "request", window: 2 };
const LATER = { trigger: "request", window: 2, resume: { lost: 0 } };
const killed = { name: JOB, runtimeStatus: "Failed", input: LATER, output: "node exited with code 137 (0x89)\n at x" };

const aWatch = async (instances: Parameters<typeof aFakeHub>[0]) => {
  const hub = aFakeHub(instances);
  const state = memoryBlobs();
  // As the app starts it; the hub of this test forgets that at once, and is as the test says.
  const forgetful = { startNew: async () => JOB } as unknown as DurableClient;
  await recordingStarts(forgetful, state).startNew(JOB, { instanceId: JOB, input: INPUT });
  const lines: string[] = [];
  const context = new InvocationContext({ logHandler: (_, ...args) => void lines.push(args.join(" ")) });
  const watch = () => watchJobs({ ...hub, state })({} as never, context);
  const open = async () => (await all(openJobs(state))).map(({ id }) => id);
  const age = async (minutes: number) => {
    for (const [name, blob] of state.blobs)
      if (name.startsWith("open-jobs/") || name.startsWith("starts/")) {
        const record = JSON.parse(String(blob.body)) as { at: string };
        const at = new Date(Date.parse(record.at) - minutes * 60_000).toISOString();
        blob.body = Buffer.from(JSON.stringify({ ...record, at }));
      }
  };
  return { ...hub, state, watch, open, lines, age };
};

describe("watch-jobs", () => {
  test("goes on with a job that failed without a word, from its last generation, as it was told", async () => {
    const { watch, started, state, open, lines } = await aWatch({ [JOB]: killed });
    await makeWish(state, JOB, "pause", new Date());
    await watch();

    expect(started).toEqual([{ name: JOB, instanceId: JOB, input: LATER }]);
    expect(await findWish(state, JOB)).toMatchObject({ wish: "pause" });
    expect(await findContinuations(state, JOB)).toMatchObject([{ reason: "node exited with code 137 (0x89)" }]);
    expect(await open()).toEqual([JOB]);
    expect(lines.join()).toContain("backup-tenant goes on after it was lost");
  });

  test("leaves alone a job that said that it fails", async () => {
    const { watch, started, state } = await aWatch({ [JOB]: killed });
    await closeJob(state, JOB);
    await watch();

    expect(started).toEqual([]);
  });

  test.each(["Running", "Pending", "Suspended", "ContinuedAsNew"])("leaves alone a job that is %s", async (state) => {
    const { watch, started, open } = await aWatch({ [JOB]: { ...killed, runtimeStatus: state } });
    await watch();

    expect([started, await open()]).toEqual([[], [JOB]]);
  });

  test.each(["Completed", "Terminated"])("forgets a job that is %s", async (state) => {
    const { watch, started, open } = await aWatch({ [JOB]: { ...killed, runtimeStatus: state } });
    await watch();

    expect([started, await open()]).toEqual([[], []]);
  });

  test("begins a job that the hub does not know, once its start should show", async () => {
    const { watch, started, age } = await aWatch({});
    await watch();
    expect(started).toEqual([]);
    await age(5);
    await watch();

    expect(started).toEqual([{ name: JOB, instanceId: JOB, input: INPUT }]);
  });

  test("waits for the parts of a job, which go on without it", async () => {
    const place = { name: "backup-in-turn", runtimeStatus: "Running", customStatus: {} };
    const { watch, started } = await aWatch({
      [JOB]: { ...killed, customStatus: { places: 1 } },
      [`${JOB}-place-0`]: place,
    });
    await watch();

    expect(started).toEqual([]);
  });

  test("gives a job up that is lost again and again, and says so", async () => {
    const { watch, started, end, state, open, lines, age } = await aWatch({ [JOB]: killed });
    for (let times = 0; times < 7; times += 1) {
      await watch();
      await age(10);
      end(JOB, "Failed");
    }

    expect(started).toHaveLength(5);
    expect(await findContinuations(state, JOB)).toHaveLength(5);
    expect(await open()).toEqual([]);
    expect(lines.at(-1)).toContain("was lost 6 times in a day, and is given up");
  });

  test("starts a job once, however many watch at once", async () => {
    const { watch, started } = await aWatch({ [JOB]: killed });
    await Promise.allSettled([watch(), watch(), watch()]);

    expect(started).toHaveLength(1);
  });

  test("looks after the others when one cannot be looked after, and fails", async () => {
    const { watch, started, state, clientOf } = await aWatch({ [JOB]: killed });
    const forgetful = { startNew: async () => "" } as unknown as DurableClient;
    await recordingStarts(forgetful, state).startNew("clean-vault", { instanceId: "a-broken-one", input: {} });
    const client = clientOf({} as never);
    const { getStatus } = client;
    client.getStatus = async (id, options) =>
      id === "a-broken-one" ? Promise.reject(new Error("HTTP 500")) : getStatus(id, options);

    await expect(watch()).rejects.toThrow("1 jobs could not be looked after");
    expect(started).toHaveLength(1);
  });
});

describe("a start", () => {
  test("that fails is not gone on with", async () => {
    const state = memoryBlobs();
    const fails = { startNew: () => Promise.reject(new Error("HTTP 500")) } as unknown as DurableClient;
    await expect(recordingStarts(fails, state).startNew(JOB, { instanceId: JOB })).rejects.toThrow("HTTP 500");

    expect(await all(openJobs(state))).toEqual([]);
  });

  test("forgets what an earlier job of its id was told", async () => {
    const state = memoryBlobs();
    await makeWish(state, JOB, "cancel", new Date());
    await recordingStarts({ startNew: async () => JOB } as unknown as DurableClient, state).startNew(JOB, {
      instanceId: JOB,
    });

    expect(await findWish(state, JOB)).toBeUndefined();
  });
});
