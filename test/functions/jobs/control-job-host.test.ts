import { afterAll, beforeAll, describe, expect, test } from "vitest";
import * as z from "zod";
import { connectTaskHub } from "../../../local/host/connect-task-hub.ts";
import { aHost, anApp, type RunningHost, removeFolders, until } from "../../local/host/fixture.ts";

/** The tenant's orchestrators as they are; the backup of a mailbox only does what it is told. */
const APP = `
  import { app } from "@azure/functions";
  import * as df from "durable-functions";
  import { backupInTurn } from "./functions/backup/backup-in-turn.orchestrator.ts";
  import { backupTenant } from "./functions/backup/backup-tenant.orchestrator.ts";
  import { controlJob } from "./functions/jobs/control-job.http.ts";
  import { getJob } from "./functions/jobs/get-job.http.ts";
  import { inGenerations } from "./functions/jobs/in-generations.steps.ts";
  import { readWishActivity } from "./functions/jobs/read-wish.activity.ts";
  import { tenantProgress } from "./functions/backup/tenant-progress.ts";
  import { momentIn } from "./shared/durable/pause.ts";
  import { memoryBlobs } from "./test/shared/storage/memory-blobs.ts";

  const state = memoryBlobs();
  const progress = { "backup-tenant": tenantProgress };
  const totals = {
    planned: 0, exported: 0, skipped: 0, failed: 0, again: 0, removed: 0, bytes: 0, storedBytes: 0, throttled: 0,
  };
  df.app.orchestration("backup-tenant", backupTenant);
  df.app.orchestration("backup-in-turn", backupInTurn);
  df.app.orchestration("backup-mailbox", function* (context) {
    return yield* inGenerations(context, {
      jobs: [context.df.instanceId, context.df.getInput().partOf],
      generation: {},
      state: context.df.getInput(),
      *step(state) {
        return { state, sleep: { until: momentIn(context, 60_000), orWoken: true } };
      },
      show: (_, standing) => context.df.setCustomStatus({ exported: 1, bytes: 1, ...standing }),
      inputOf: (state) => state,
      cancelled: () => ({ stopped: { reason: "cancelled" }, totals }),
    });
  });
  df.app.activity("read-wish", { handler: readWishActivity({ state }) });
  df.app.activity("discover-mailboxes", { handler: () => ({ mailboxes: 10, withoutMailbox: 0, busy: 0 }) });
  df.app.activity("find-backup-places", { handler: ({ places }) => ({
    turns: Array.from({ length: places }, () => ({
      turn: 0,
      outcomes: { complete: 0, partial: 0, failed: 0, failures: [], items: 0, bytes: 0 },
    })),
  }) });
  df.app.activity("take-mailbox", { handler: ({ place, turn }) => ({
    mailbox: { key: "abcdefgh"[place].repeat(25) + "abcdefgh"[turn], id: "m", kind: "primary", userId: "u" },
  }) });

  const clientOf = (context) => df.getClient(context);
  const extraInputs = [df.input.durableClient()];
  const operator = { id: "operator", roles: ["Backup.Operator"] };
  const asOperator = (handler) => (request, context) => handler(request, context, operator);
  for (const order of ["pause", "resume", "cancel"])
    app.http(order, {
      methods: ["POST"],
      route: "jobs/{id}/" + order,
      extraInputs,
      handler: asOperator(controlJob({ clientOf, state, order, progress, restarts: {} })),
    });
  app.http("job", {
    methods: ["GET"],
    route: "jobs/{id}",
    extraInputs,
    handler: getJob({ clientOf, state, progress }),
  });
  app.http("start", { methods: ["POST"], route: "start", extraInputs, handler: async (request, context) => {
    const input = { trigger: "request", window: 2 };
    await clientOf(context).startNew("backup-tenant", { instanceId: "backup-tenant", input });
    return { status: 202 };
  } });
`;

let host: RunningHost;

beforeAll(async () => {
  host = await aHost(await anApp(APP), { durable: connectTaskHub });
});

afterAll(async () => {
  await host.stop();
  await removeFolders();
});

const Job = z.looseObject({ state: z.string(), result: z.looseObject({}).optional() });
const job = async (id = "backup-tenant") => Job.parse(await (await host.call(`/api/jobs/${id}`)).json());
const control = async (operation: string, id = "backup-tenant") => {
  const response = await host.call(`/api/jobs/${id}/${operation}`, { method: "POST" });
  return { status: response.status, state: Job.parse(await response.json()).state };
};
const reaches = (state: string, id?: string) =>
  until(async () => (await job(id).catch(() => undefined))?.state === state);

const [a0 = "", b0 = "", a1 = ""] = [`${"a".repeat(26)}`, `${"b".repeat(25)}a`, `${"a".repeat(25)}b`].map(
  (key) => `backup-${key}`,
);

describe("a backup of the tenant in a task hub", () => {
  test("pauses, goes on and ends with everything that it is at, and fails of nothing", async () => {
    await host.call("/api/start", { method: "POST" });
    for (const mailbox of [a0, b0]) await reaches("running", mailbox);

    expect(await control("pause")).toEqual({ status: 202, state: "pausing" });
    await reaches("paused");
    expect(await control("pause")).toEqual({ status: 202, state: "paused" });

    expect(await control("resume")).toEqual({ status: 202, state: "resuming" });
    await reaches("running");

    expect(await control("cancel", a0)).toEqual({ status: 202, state: "stopping" });
    await reaches("cancelled", a0);
    await reaches("running", a1);

    expect(await control("cancel")).toEqual({ status: 202, state: "stopping" });
    await reaches("cancelled");
    expect(await job()).toMatchObject({ result: { failed: 3, stopped: { reason: "cancelled" } } });
    for (const mailbox of [a1, b0]) expect(await job(mailbox)).toMatchObject({ state: "cancelled" });
    expect(await control("cancel")).toEqual({ status: 409, state: "cancelled" });
  });
});
