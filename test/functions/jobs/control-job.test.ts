import type { HttpHandler } from "@azure/functions";
import type { DurableClient } from "durable-functions";
import { describe, expect, test } from "vitest";
import { controlJob } from "../../../functions/jobs/control-job.http.ts";
import { wishOf } from "../../../functions/jobs/wishes.ts";
import { backupInstance, backupTenantInstance, placeInstance } from "../../../shared/contracts/job-ids.ts";
import type { SignedInHandler } from "../../../shared/http/guard.ts";
import { ROLES, type Role } from "../../../shared/security/principal.ts";
import { memoryBlobs } from "../../shared/storage/memory-blobs.ts";
import { aKey } from "../../shared/vault/samples.ts";
import { call } from "../browse/a-vault.ts";
import { aFakeHub } from "../fake-hub.ts";

const otherKey = aKey.replace("x", "y");
const tenant = backupTenantInstance();
const places = [placeInstance(0, tenant), placeInstance(1, tenant)] as const;
const [first, second] = [backupInstance(aKey), backupInstance(otherKey)];

/** Two places at a mailbox each. */
const aTenantRun = (runtimeStatus = "Running") => ({
  [tenant]: { name: "backup-tenant", runtimeStatus, customStatus: { places: 2 } },
  [places[0]]: { name: "backup-in-turn", runtimeStatus, customStatus: { running: first } },
  [places[1]]: { name: "backup-in-turn", runtimeStatus, customStatus: { running: second } },
  [first]: { name: "backup-mailbox", runtimeStatus },
  [second]: { name: "backup-mailbox", runtimeStatus },
});

const asOperator =
  (handler: SignedInHandler, roles: readonly Role[] = ROLES): HttpHandler =>
  (request, context) =>
    handler(request, context, { id: "00000000-0000-4000-8000-000000000002", roles });

const someJobs = (instances: Parameters<typeof aFakeHub>[0]) => {
  const hub = aFakeHub(instances);
  const state = memoryBlobs();
  const resumed: string[] = [];
  const client = { ...hub.clientOf({} as never), resume: async (id: string) => void resumed.push(id) };
  const clientOf = () => client as unknown as DurableClient;
  const control = (order: Parameters<typeof controlJob>[0]["order"], id: string, roles?: readonly Role[]) =>
    call(asOperator(controlJob({ clientOf, state, progress: {}, restarts: {}, order }), roles), { id }, {}, "POST");
  return { ...hub, state, resumed, control, wish: (id: string) => wishOf(state, [id]) };
};

describe("an order", () => {
  test.each<[string, readonly Role[]]>([
    ["backup-mailbox", ["Restore.Operator", "Privacy.Officer"]],
    ["restore-mailbox", ["Backup.Operator", "Privacy.Officer"]],
    ["translate-exchange-ids", ["Restore.CrossMailbox", "Privacy.Officer"]],
  ])("is no business of a caller who may not start a %s", async (name, roles) => {
    const jobs = someJobs({ [first]: { name, runtimeStatus: "Running" } });

    expect(await jobs.control("pause", first, roles)).toMatchObject({ status: 403, body: { title: "role missing" } });
    expect([await jobs.wish(first), jobs.raised]).toEqual(["go-on", []]);
  });

  test("is open to readers of the vault too, for a job that they may start", async () => {
    const jobs = someJobs({ [first]: { name: "translate-exchange-ids", runtimeStatus: "Running" } });

    expect(await jobs.control("pause", first, ["Vault.Reader"])).toMatchObject({ status: 202 });
  });

  test("is answered with the job, without a rate that it has no more", async () => {
    const customStatus = { phase: "exporting", exported: 20, itemsPerSecond: 5, etaSeconds: 60, paused: true };
    const jobs = someJobs({ [first]: { name: "backup-mailbox", runtimeStatus: "Running", customStatus } });

    const { status, headers, body } = await jobs.control("pause", first);
    expect([status, headers["location"]]).toEqual([202, `/api/jobs/${first}`]);
    expect(body).toMatchObject({ id: first, kind: "backup-mailbox", state: "paused" });
    expect(body["progress"]).toEqual({ phase: "exporting", exported: 20 });
  });

  test.each([
    ["pause", "pausing"],
    ["cancel", "stopping"],
  ] as const)("to %s a backup of the tenant wakes its places and their mailboxes", async (order, state) => {
    const jobs = someJobs(aTenantRun());

    expect(await jobs.control(order, tenant)).toMatchObject({ status: 202, body: { state } });
    expect(new Set(jobs.raised.map(([id]) => id))).toEqual(new Set([tenant, ...places, first, second]));
    expect([await jobs.wish(tenant), await jobs.wish(first)]).toEqual([order, "go-on"]);
  });

  test("leaves alone a place that has ended", async () => {
    const jobs = someJobs({ ...aTenantRun(), [places[1]]: { name: "backup-in-turn", runtimeStatus: "Completed" } });

    await jobs.control("pause", tenant);
    expect(jobs.raised.map(([id]) => id)).not.toContain(places[1]);
  });

  test.each(["resume", "cancel"] as const)("to %s reaches what the task hub has suspended", async (order) => {
    const jobs = someJobs(aTenantRun("Suspended"));

    expect((await jobs.control(order, tenant)).status).toBe(202);
    expect(new Set(jobs.resumed)).toEqual(new Set([tenant, ...places, first, second]));
  });

  test("to cancel again never has the task hub end a part, which would fail the whole", async () => {
    const part = { name: "backup-mailbox", runtimeStatus: "Running", input: { partOf: tenant } };
    const jobs = someJobs({ [first]: { ...part, lastUpdatedTime: new Date(0) } });
    await jobs.control("cancel", first);
    const written = await jobs.state.readWhole(`jobs/${first}/wish.json`);
    const long = { ...JSON.parse(String(written?.body)), at: new Date(Date.now() - 600_000).toISOString() };
    await jobs.state.replace(`jobs/${first}/wish.json`, Buffer.from(JSON.stringify(long)), written?.etag);

    // The client of this hub cannot terminate.
    expect((await jobs.control("cancel", first)).status).toBe(202);
  });
});

describe("a job that cannot be changed", () => {
  test.each([
    ["pause", "Completed", "completed"],
    ["resume", "Running", "running"],
    ["resume", "Failed", "failed"],
    ["cancel", "Completed", "completed"],
    ["cancel", "Terminated", "cancelled"],
  ] as const)("is named with its state: %s of one that is %s", async (order, runtimeStatus, state) => {
    const jobs = someJobs({ [first]: { name: "backup-mailbox", runtimeStatus } });

    const { status, body } = await jobs.control(order, first);
    expect([status, body["type"], body["state"]]).toEqual([409, "/problems/job-state", state]);
    expect(body["detail"]).toContain(state);
    expect(jobs.raised).toEqual([]);
  });

  test.each([second, "backup-tenant-place-0", "../admin"])("is unknown: %s", async (id) => {
    const { control } = someJobs({ [first]: { name: "backup-mailbox", runtimeStatus: "Running" } });

    expect(await control("cancel", id)).toMatchObject({ status: 404, body: { type: "/problems/job-not-found" } });
  });
});
