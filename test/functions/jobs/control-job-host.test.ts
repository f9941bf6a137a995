import { afterAll, beforeAll, describe, expect, test } from "vitest";
import * as z from "zod";
import { connectTaskHub } from "../../../local/host/connect-task-hub.ts";
import { aHost, anApp, type RunningHost, removeFolders, until } from "../../local/host/fixture.ts";

/** The tenant's orchestrators as they are; the backup of a mailbox ends by an event. */
const APP = `
  import { app } from "@azure/functions";
  import * as df from "durable-functions";
  import { backupInTurn } from "./functions/backup/backup-in-turn.orchestrator.ts";
  import { backupTenant } from "./functions/backup/backup-tenant.orchestrator.ts";
  import { controlJob } from "./functions/jobs/control-job.http.ts";

  df.app.orchestration("backup-tenant", backupTenant);
  df.app.orchestration("backup-in-turn", backupInTurn);
  df.app.orchestration("backup-mailbox", function* (context) {
    yield context.df.waitForExternalEvent("finish");
  });
  df.app.activity("discover-mailboxes", { handler: () => ({ mailboxes: 10, withoutMailbox: 0, busy: 0 }) });
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
      handler: asOperator(controlJob({ clientOf, order, restarts: {} })),
    });
  app.http("start", { methods: ["POST"], route: "start", extraInputs, handler: async (request, context) => {
    const input = { trigger: "request", window: 2 };
    await clientOf(context).startNew("backup-tenant", { instanceId: "backup-tenant", input });
    return { status: 202 };
  } });
  app.http("states", { methods: ["GET"], route: "states", extraInputs, handler: async (request, context) => {
    const found = await clientOf(context).getStatusAll();
    return { jsonBody: Object.fromEntries(found.map(({ instanceId, runtimeStatus }) => [instanceId, runtimeStatus])) };
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

const States = z.record(z.string(), z.string());
const states = async () => States.parse(await (await host.call("/api/states")).json());

const control = async (operation: string, id = "backup-tenant") => {
  const response = await host.call(`/api/jobs/${id}/${operation}`, { method: "POST" });
  return { status: response.status, state: z.looseObject({ state: z.string() }).parse(await response.json()).state };
};

const [a0, b0] = [`${"a".repeat(26)}`, `${"b".repeat(25)}a`].map((key) => `backup-${key}`);

describe("a backup of the tenant in a task hub", () => {
  test("is paused, resumed and cancelled with everything that it is at", async () => {
    const all = (state: string) =>
      Object.fromEntries(
        ["backup-tenant", "backup-tenant-place-0", "backup-tenant-place-1", a0, b0].map((id) => [id, state]),
      );
    await host.call("/api/start", { method: "POST" });
    await until(async () => (await states())[b0 ?? ""] === "Running" && (await states())[a0 ?? ""] === "Running");

    expect(await control("pause")).toEqual({ status: 202, state: "paused" });
    expect(await states()).toEqual(all("Suspended"));
    expect(await control("pause")).toEqual({ status: 409, state: "paused" });

    expect(await control("resume")).toEqual({ status: 202, state: "running" });
    expect(await states()).toEqual(all("Running"));

    expect(await control("cancel")).toEqual({ status: 202, state: "cancelled" });
    expect(await states()).toEqual(all("Terminated"));
    expect(await control("cancel")).toEqual({ status: 409, state: "cancelled" });
  });
});
