import { InvocationContext } from "@azure/functions";
import type { DurableClient } from "durable-functions";
import { describe, expect, test } from "vitest";
import { controlJob } from "../../../functions/jobs/control-job.http.ts";
import { getJob } from "../../../functions/jobs/get-job.http.ts";
import { closeJob, findContinuations, openJob, openJobs } from "../../../functions/jobs/open-jobs.ts";
import { recordingStarts } from "../../../functions/jobs/recorded-starts.ts";
import { watchJobs } from "../../../functions/jobs/watch-jobs.timer.ts";
import { findWish, makeWish } from "../../../functions/jobs/wishes.ts";
import { ROLES } from "../../../shared/security/principal.ts";
import { memoryBlobs } from "../../shared/storage/memory-blobs.ts";
import { all } from "../../shared/vault/samples.ts";
import { call } from "../browse/a-vault.ts";
import { aFakeHub } from "../fake-hub.ts";

const JOB = "backup-tenant";
const INPUT = { trigger: "request", window: 2 };
const LATER = { trigger: "request", window: 2, resume: { lost: 0 } };
/** By the task hub's clock, which need not be the app's. */
const createdTime = new Date("2026-11-22T01:00:00Z");
const killed = {
  name: JOB,
  createdTime,
  runtimeStatus: "Failed",
  input: LATER,
  output: "node exited with code 137 (0x89)\n at x",
};

const aForgetfulHub = (startNew = async () => JOB, before?: object) =>
  ({
    startNew,
    getStatus: async () => before ?? Promise.reject(new Error("HTTP 404")),
  }) as unknown as DurableClient;

/** `before`: the instance of its id that showed when it was started. */
const aWatch = async (instances: Parameters<typeof aFakeHub>[0], before?: object) => {
  const hub = aFakeHub(instances);
  const state = memoryBlobs();
  // As the app starts it; the hub of this test forgets that at once, and is as the test says.
  await recordingStarts(aForgetfulHub(undefined, before), state).startNew(JOB, { instanceId: JOB, input: INPUT });
  const lines: string[] = [];
  const context = new InvocationContext({ logHandler: (_, ...args) => void lines.push(args.join(" ")) });
  const watch = () => watchJobs({ ...hub, state })({} as never, context);
  const open = async () => all(openJobs(state));
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
      end(JOB, "Failed", createdTime);
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
    await recordingStarts(aForgetfulHub(), state).startNew("clean-vault", { instanceId: "a-broken-one", input: {} });
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
    const fails = aForgetfulHub(() => Promise.reject(new Error("HTTP 500")));
    await expect(recordingStarts(fails, state).startNew(JOB, { instanceId: JOB })).rejects.toThrow("HTTP 500");

    expect(await all(openJobs(state))).toEqual([]);
  });

  test("forgets what an earlier job of its id was told", async () => {
    const state = memoryBlobs();
    await makeWish(state, JOB, "cancel", new Date());
    await recordingStarts(aForgetfulHub(), state).startNew(JOB, { instanceId: JOB });

    expect(await findWish(state, JOB)).toBeUndefined();
  });

  test("is refused while its job is alive, or about to go on, and changes nothing of it", async () => {
    for (const runtimeStatus of ["Running", "Failed"]) {
      const { clientOf, state, open } = await aWatch({ [JOB]: { ...killed, runtimeStatus } });
      await makeWish(state, JOB, "cancel", new Date());
      const again = recordingStarts(clientOf({} as never), state).startNew(JOB, { instanceId: JOB, input: "other" });

      await expect(again).rejects.toThrow("backup-tenant is alive");
      expect(await open()).toEqual([JOB]);
      expect(await findWish(state, JOB)).toMatchObject({ wish: "cancel" });
    }
  });

  test("whose answer was lost is kept, since its job may have begun", async () => {
    const hub = aFakeHub();
    const state = memoryBlobs();
    const client = hub.clientOf({} as never);
    const { startNew } = client;
    client.startNew = async (...start) => {
      await startNew(...start);
      throw new Error("socket hang up");
    };
    await expect(recordingStarts(client, state).startNew(JOB, { instanceId: JOB })).rejects.toThrow("hang up");

    expect(await all(openJobs(state))).toEqual([JOB]);
  });
});

describe("a note", () => {
  test("of a start that does not show yet outlasts the job before", async () => {
    const before = { name: JOB, runtimeStatus: "Completed", createdTime };
    const { watch, open, started, age } = await aWatch({ [JOB]: before }, before);
    await watch();
    expect(await open()).toEqual([JOB]);
    await age(5);
    await watch();

    expect(started).toEqual([{ name: JOB, instanceId: JOB, input: INPUT }]);
  });

  test("of a part is left to its whole while that goes on, and removed then", async () => {
    const part = { name: "restore-mailbox", runtimeStatus: "Failed", createdTime, output: "node exited with code 137" };
    const { watch, open, started, state, end } = await aWatch({ [JOB]: { ...killed, runtimeStatus: "Running" }, part });
    await openJob(state, "part", { kind: "restore-mailbox", input: {}, partOf: JOB });
    await watch();
    expect([started, await open()]).toEqual([[], [JOB, "part"]]);

    end(JOB, "Completed", createdTime);
    await watch();
    await watch();
    expect([started, await open()]).toEqual([[], []]);
  });
});

describe("a job that the task hub has lost", () => {
  test("goes on as far as people see, and heeds what it is told", async () => {
    const { clientOf, state } = await aWatch({ [JOB]: killed });
    const control = (order: "pause" | "cancel") =>
      call(
        (request, context) =>
          controlJob({ clientOf, state, progress: {}, restarts: {}, order })(request, context, {
            id: "x",
            roles: ROLES,
          }),
        { id: JOB },
        {},
        "POST",
      );

    expect((await call(getJob({ clientOf, state, progress: {} }), { id: JOB })).body).toMatchObject({
      state: "running",
    });
    expect(await control("cancel")).toMatchObject({ status: 202, body: { state: "stopping" } });
    expect(await findWish(state, JOB)).toMatchObject({ wish: "cancel" });
    await closeJob(state, JOB);
    expect((await control("cancel")).status).toBe(409);
  });
});
