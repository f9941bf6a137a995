import type { DurableClient, DurableOrchestrationStatus } from "durable-functions";
import { describe, expect, test } from "vitest";
import { controlJob } from "../../../functions/jobs/control-job.http.ts";
import { getJob } from "../../../functions/jobs/get-job.http.ts";
import { makeWish, wishOf } from "../../../functions/jobs/wishes.ts";
import { listProgress } from "../../../functions/restore/list-progress.ts";
import { problem } from "../../../shared/http/problem.ts";
import { ROLES, type Role } from "../../../shared/security/principal.ts";
import { memoryBlobs } from "../../shared/storage/memory-blobs.ts";
import { call } from "../browse/a-vault.ts";
import { aFakeHub } from "../fake-hub.ts";

const [one, other] = ["restore-20261122T010001Z-abc234", "restore-20261122T010002Z-abc234"];
const list = "restores-20261122T010000Z-abc234";
const NO_ITEMS = { planned: 0, imported: 0, replaced: 0, present: 0, ambiguous: 0, failed: 0, missing: 0, bytes: 0 };
const place = (running: string) => ({
  name: "restore-in-turn",
  runtimeStatus: "Running",
  customStatus: { complete: 0, partial: 0, failed: 0, failures: [], items: NO_ITEMS, running },
});
const restoring = (more: object = {}) => ({
  name: "restore-mailbox",
  runtimeStatus: "Running",
  customStatus: {
    phase: "importing",
    items: 9,
    imported: 3,
    replaced: 0,
    ambiguous: 0,
    failed: 0,
    importedBytes: 30,
    ...more,
  },
});
const aList = (more: object = {}) => ({
  [list]: {
    name: "restore-mailboxes",
    runtimeStatus: "Running",
    customStatus: { phase: "restoring", restores: 2, mailboxes: 2, places: 2 },
  },
  [`${list}-place-0`]: place(one),
  [`${list}-place-1`]: place(other),
  [one]: restoring(more),
  [other]: restoring(more),
});

type Order = "pause" | "resume" | "cancel";

const someJobs = (instances: Parameters<typeof aFakeHub>[0]) => {
  const state = memoryBlobs();
  const hub = aFakeHub(instances);
  const terminated: string[] = [];
  const client = { ...hub.clientOf({} as never), terminate: async (id: string) => void terminated.push(id) };
  const clientOf = () => client as unknown as DurableClient;
  const restarted: string[] = [];
  const restarts = {
    "restore-mailbox": async (_: DurableClient, { instanceId, output }: DurableOrchestrationStatus) => {
      if (output === "whole") return problem(409, "job-state", "The job has done its work.");
      restarted.push(instanceId);
      return undefined;
    },
  };
  const order = (order: Order, id: string, roles: readonly Role[] = ROLES) =>
    call(
      (request, context) =>
        controlJob({ clientOf, state, progress: { "restore-mailboxes": listProgress }, restarts, order })(
          request,
          context,
          { id: "someone", roles },
        ),
      { id },
      {},
      "POST",
    );
  const get = (id: string) =>
    call(getJob({ clientOf, state, progress: { "restore-mailboxes": listProgress } }), { id });
  return { ...hub, state, order, get, terminated, restarted };
};

describe("a job that heeds what it is told", () => {
  test.each([
    ["pause", "pausing", "pause"],
    ["cancel", "stopping", "cancel"],
  ] as const)("answers a %s at once with what it was told, and is woken", async (order, state, wish) => {
    const jobs = someJobs({ [one]: restoring() });

    expect(await jobs.order(order, one)).toMatchObject({ status: 202, body: { id: one, state } });
    expect(await wishOf(jobs.state, [one])).toBe(wish);
    expect(jobs.raised).toEqual([[one, "wake"]]);
    expect((await jobs.get(one)).body).toMatchObject({ state });
    expect(jobs.terminated).toEqual([]);
  });

  test("is paused once it says so, resuming once it was told, and running once it goes on", async () => {
    const jobs = someJobs({ [one]: restoring({ paused: true }) });
    await makeWish(jobs.state, one, "pause", new Date());
    const paused = await jobs.get(one);
    expect(paused.body).toMatchObject({ state: "paused", progress: { imported: 3 } });
    expect(paused.body["progress"]).not.toHaveProperty("paused");

    expect(await jobs.order("resume", one)).toMatchObject({ status: 202, body: { state: "resuming" } });
    expect((await jobs.get(one)).body).toMatchObject({ state: "resuming" });
    const going = someJobs({ [one]: restoring() });
    await makeWish(going.state, one, "go-on", new Date());
    expect((await going.get(one)).body).toMatchObject({ state: "running" });
  });

  test("may be told the same again, whatever became of the first answer", async () => {
    const jobs = someJobs({ [one]: restoring() });

    for (const order of ["pause", "pause", "resume", "resume", "cancel", "cancel"] as const)
      expect((await jobs.order(order, one)).status).toBe(202);
  });

  test.each(["pause", "resume"] as const)("cannot be told to %s any more once it is to end", async (order) => {
    const jobs = someJobs({ [one]: restoring() });
    await jobs.order("cancel", one);

    expect(await jobs.order(order, one)).toMatchObject({ status: 409, body: { state: "stopping" } });
    expect(await wishOf(jobs.state, [one])).toBe("cancel");
  });

  test("cannot be resumed when nobody has paused it", async () => {
    expect(await someJobs({ [one]: restoring() }).order("resume", one)).toMatchObject({
      status: 409,
      body: { type: "/problems/job-state", state: "running" },
    });
  });

  test("is closed to a caller who may not restore", async () => {
    const jobs = someJobs(aList());

    expect((await jobs.order("cancel", list, ["Backup.Operator"])).status).toBe(403);
    expect(await wishOf(jobs.state, [list])).toBe("go-on");
  });

  test("wakes with a list all that works for it", async () => {
    const jobs = someJobs(aList());

    expect(await jobs.order("pause", list)).toMatchObject({ status: 202, body: { state: "pausing" } });
    expect(new Set(jobs.raised.map(([id]) => id))).toEqual(
      new Set([list, `${list}-place-0`, `${list}-place-1`, one, other]),
    );
    expect(await wishOf(jobs.state, [one, list])).toBe("pause");
  });

  test("shows a list as paused once all that works for it is", async () => {
    const half = { ...aList({ paused: true }), [other]: restoring() };
    for (const [instances, state] of [
      [half, "pausing"],
      [aList({ paused: true }), "paused"],
    ] as const) {
      const jobs = someJobs(instances);
      await makeWish(jobs.state, list, "pause", new Date());
      expect((await jobs.get(list)).body).toMatchObject({ state });
    }
  });

  test("is ended by the task hub when it has shown no life for five minutes since it was told to end", async () => {
    const told = new Date("2026-11-22T01:10:00Z");
    const dead = someJobs({ [one]: { ...restoring(), lastUpdatedTime: new Date("2026-11-22T01:05:00Z") } });
    await makeWish(dead.state, one, "cancel", told);
    await dead.order("cancel", one);
    expect(dead.terminated).toEqual([one]);

    const alive = someJobs({ [one]: { ...restoring(), lastUpdatedTime: new Date("2026-11-22T01:10:01Z") } });
    await makeWish(alive.state, one, "cancel", told);
    await alive.order("cancel", one);
    expect(alive.terminated).toEqual([]);
    expect(alive.raised).toEqual([[one, "wake"]]);
  });

  test("is cancelled, with what it did, when it ended by itself", async () => {
    const output = { imported: 3, missing: 6, stopped: { reason: "cancelled" } };
    const jobs = someJobs({ [one]: { ...restoring(), runtimeStatus: "Completed", output } });

    expect((await jobs.get(one)).body).toMatchObject({ state: "cancelled", result: output });
    expect(await jobs.order("cancel", one)).toMatchObject({ status: 409, body: { state: "cancelled" } });
  });

  test.each([
    ["Failed", undefined, 202],
    ["Completed", { stopped: { reason: "full" } }, 202],
    ["Completed", "whole", 409],
  ])(
    "that has ended (%s, %j) goes on when it is resumed, if there is something left",
    async (runtimeStatus, output, status) => {
      const jobs = someJobs({ [one]: { ...restoring(), runtimeStatus, output } });

      expect((await jobs.order("resume", one)).status).toBe(status);
      expect(jobs.restarted).toEqual(status === 202 ? [one] : []);
      for (const order of ["pause", "cancel"] as const) expect((await jobs.order(order, one)).status).toBe(409);
    },
  );
});
