import type { HttpHandler } from "@azure/functions";
import type { DurableClient, DurableOrchestrationStatus } from "durable-functions";
import { describe, expect, test } from "vitest";
import { controlJob } from "../../../functions/jobs/control-job.http.ts";
import { backupInstance, backupTenantInstance, placeInstance } from "../../../shared/contracts/job-ids.ts";
import type { SignedInHandler } from "../../../shared/http/guard.ts";
import { ROLES, type Role } from "../../../shared/security/principal.ts";
import { memoryBlobs } from "../../shared/storage/memory-blobs.ts";
import { aKey } from "../../shared/vault/samples.ts";
import { call } from "../browse/a-vault.ts";

type State = "Pending" | "Running" | "Suspended" | "Completed" | "Failed" | "Terminated";

interface Instance {
  readonly name: string;
  readonly state: State;
  readonly customStatus?: unknown;
  readonly createdTime?: Date;
}

const otherKey = aKey.replace("x", "y");
const [first, second] = [backupInstance(aKey), backupInstance(otherKey)];

/** Two places at a mailbox each. */
const aTenantRun = (overrides: Record<string, Partial<Instance>> = {}): Record<string, Instance> => {
  const instances: Record<string, Instance> = {
    [backupTenantInstance()]: { name: "backup-tenant", state: "Running", customStatus: { places: 2 } },
    [placeInstance(0, backupTenantInstance())]: {
      name: "backup-in-turn",
      state: "Running",
      customStatus: { running: first },
    },
    [placeInstance(1, backupTenantInstance())]: {
      name: "backup-in-turn",
      state: "Running",
      customStatus: { running: second },
    },
    [first]: { name: "backup-mailbox", state: "Running" },
    [second]: { name: "backup-mailbox", state: "Running" },
  };
  for (const [id, override] of Object.entries(overrides))
    instances[id] = { name: "", state: "Running", ...instances[id], ...override };
  return instances;
};

const asOperator =
  (handler: SignedInHandler, roles: readonly Role[] = ROLES): HttpHandler =>
  (request, context) =>
    handler(request, context, { id: "00000000-0000-4000-8000-000000000002", roles });

/** A task hub that executes commands at once, and keeps a list of them. */
const aTaskHub = (
  instances: Record<string, Instance>,
  { refuse, looked }: { refuse?: (id: string) => void; looked?: (id: string) => void } = {},
) => {
  const commands: string[] = [];
  const set = (command: string, state: State) => async (id: string, reason: string) => {
    refuse?.(id);
    commands.push(`${command} ${id}`);
    if (reason !== "requested") throw new Error(reason);
    instances[id] = { name: "", ...instances[id], state };
  };
  const client = {
    getStatus: async (instanceId: string) => {
      const found = instances[instanceId];
      looked?.(instanceId);
      if (found === undefined) throw new Error("DurableClient error: HTTP 404");
      const { state, createdTime = new Date(0), ...rest } = found;
      const status = {
        customStatus: null,
        ...rest,
        instanceId,
        createdTime,
        lastUpdatedTime: createdTime,
        input: null,
      };
      return { ...status, output: null, runtimeStatus: state } as unknown as DurableOrchestrationStatus;
    },
    suspend: set("suspend", "Suspended"),
    resume: set("resume", "Running"),
    terminate: set("terminate", "Terminated"),
  };
  const states = () => Object.fromEntries(Object.entries(instances).map(([id, { state }]) => [id, state]));
  const clientOf = () => client as unknown as DurableClient;
  const control = (order: Parameters<typeof controlJob>[0]["order"], id: string, roles?: readonly Role[]) =>
    call(asOperator(controlJob({ clientOf, state: memoryBlobs(), restarts: {}, order }), roles), { id }, {}, "POST");
  return { commands, states, control };
};

describe("POST /api/jobs/{id}/pause", () => {
  test.each<[string, readonly Role[]]>([
    ["backup-mailbox", ["Restore.Operator", "Privacy.Officer"]],
    ["restore-mailbox", ["Backup.Operator", "Privacy.Officer"]],
    ["translate-exchange-ids", ["Restore.CrossMailbox", "Privacy.Officer"]],
  ])("leaves a %s alone when the caller may not start one", async (name, roles) => {
    const hub = aTaskHub({ [first]: { name, state: "Running" } });

    expect(await hub.control("pause", first, roles)).toMatchObject({ status: 403, body: { title: "role missing" } });
    expect(hub.commands).toEqual([]);
  });

  test("is open to readers of the vault too, for a job that they may start", async () => {
    const hub = aTaskHub({ [first]: { name: "translate-exchange-ids", state: "Running" } });

    expect(await hub.control("pause", first, ["Vault.Reader"])).toMatchObject({ status: 202 });
  });

  test("pauses a backup of one mailbox and answers with the job", async () => {
    const customStatus = { phase: "exporting", exported: 20, itemsPerSecond: 5, etaSeconds: 60 };
    const hub = aTaskHub({ [first]: { name: "backup-mailbox", state: "Running", customStatus } });

    const { status, headers, body } = await hub.control("pause", first);
    expect([status, headers["location"]]).toEqual([202, `/api/jobs/${first}`]);
    expect(body).toMatchObject({ id: first, kind: "backup-mailbox", state: "paused" });
    expect(body["progress"]).toEqual({ phase: "exporting", exported: 20 });
  });

  test("pauses a backup of the tenant before its places, and each place before the mailbox it is at", async () => {
    const hub = aTaskHub(aTenantRun());

    expect((await hub.control("pause", backupTenantInstance())).status).toBe(202);
    expect(new Set(Object.values(hub.states()))).toEqual(new Set(["Suspended"]));
    const orderOf = (id: string) => hub.commands.indexOf(`suspend ${id}`);
    expect(orderOf(backupTenantInstance())).toBe(0);
    expect(orderOf(placeInstance(0, backupTenantInstance()))).toBeLessThan(orderOf(first));
    expect(orderOf(placeInstance(1, backupTenantInstance()))).toBeLessThan(orderOf(second));
  });

  test("finishes a pause that was cut off", async () => {
    const hub = aTaskHub(
      aTenantRun({ [backupTenantInstance()]: { state: "Suspended" }, [first]: { state: "Suspended" } }),
    );

    expect((await hub.control("pause", backupTenantInstance())).status).toBe(202);
    expect(new Set(Object.values(hub.states()))).toEqual(new Set(["Suspended"]));
  });

  test("leaves alone a place that has ended", async () => {
    const hub = aTaskHub(aTenantRun({ [placeInstance(1, backupTenantInstance())]: { state: "Completed" } }));

    await hub.control("pause", backupTenantInstance());
    expect(hub.states()).toMatchObject({
      [placeInstance(1, backupTenantInstance())]: "Completed",
      [second]: "Running",
    });
  });

  test("passes on a failure of the task hub", async () => {
    const refuse = () => {
      throw new Error("HTTP 500");
    };
    const hub = aTaskHub({ [first]: { name: "backup-mailbox", state: "Running" } }, { refuse });

    await expect(hub.control("pause", first)).rejects.toThrow("HTTP 500");
  });

  test("answers that the job is paused when another caller was first", async () => {
    const instances: Record<string, Instance> = { [first]: { name: "backup-mailbox", state: "Running" } };
    const refuse = (id: string) => {
      instances[id] = { name: "backup-mailbox", state: "Suspended" };
      throw new Error("HTTP 500: Cannot suspend");
    };

    const { status, body } = await aTaskHub(instances, { refuse }).control("pause", first);
    expect([status, body["state"]]).toEqual([409, "paused"]);
  });
});

describe("POST /api/jobs/{id}/resume", () => {
  test("resumes a backup of the tenant and all that is paused below it", async () => {
    const paused = Object.fromEntries(Object.keys(aTenantRun()).map((id) => [id, { state: "Suspended" as const }]));
    const hub = aTaskHub(aTenantRun(paused));

    const { status, body } = await hub.control("resume", backupTenantInstance());
    expect([status, body["state"]]).toEqual([202, "running"]);
    expect(new Set(Object.values(hub.states()))).toEqual(new Set(["Running"]));
  });
});

describe("POST /api/jobs/{id}/cancel", () => {
  test("cancels a paused job", async () => {
    const hub = aTaskHub({ [first]: { name: "backup-mailbox", state: "Suspended" } });

    const { status, body } = await hub.control("cancel", first);
    expect([status, body["state"], hub.commands]).toEqual([202, "cancelled", [`terminate ${first}`]]);
  });

  test("ends mailboxes, then their places, then the tenant, and none sees its parts fail", async () => {
    const hub = aTaskHub(aTenantRun());

    expect((await hub.control("cancel", backupTenantInstance())).status).toBe(202);
    expect(new Set(Object.values(hub.states()))).toEqual(new Set(["Terminated"]));
    expect(hub.commands.filter((command) => /tenant$|place-0|xj4b/.test(command))).toEqual([
      `suspend ${backupTenantInstance()}`,
      `suspend ${placeInstance(0, backupTenantInstance())}`,
      `terminate ${first}`,
      `terminate ${placeInstance(0, backupTenantInstance())}`,
      `terminate ${backupTenantInstance()}`,
    ]);
  });

  test("waits for a place that was just started and does not take an earlier one for it", async () => {
    const created = new Date("2026-11-22T01:00:00Z");
    const instances = aTenantRun({
      [backupTenantInstance()]: { createdTime: created },
      [placeInstance(1, backupTenantInstance())]: { state: "Completed" },
    });
    const place = placeInstance(1, backupTenantInstance());
    let looks = 0;
    const looked = (id: string) => {
      if (id !== place) return;
      looks += 1;
      if (looks === 2) instances[place] = { name: "backup-in-turn", state: "Running", createdTime: created };
    };
    const hub = aTaskHub(instances, { looked });

    await hub.control("cancel", backupTenantInstance());
    expect(hub.states()[place]).toBe("Terminated");
  });
});

describe("a job that cannot be changed", () => {
  test.each([
    ["pause", "Suspended", "paused"],
    ["pause", "Completed", "completed"],
    ["resume", "Running", "running"],
    ["resume", "Failed", "failed"],
    ["cancel", "Completed", "completed"],
    ["cancel", "Terminated", "cancelled"],
  ] as const)("is named with its state: %s of one that is %s", async (order, runtimeStatus, state) => {
    const hub = aTaskHub({ [first]: { name: "backup-mailbox", state: runtimeStatus } });

    const { status, body } = await hub.control(order, first);
    expect([status, body["type"], body["state"]]).toEqual([409, "/problems/job-state", state]);
    expect(body["detail"]).toContain(state);
    expect(hub.commands).toEqual([]);
  });

  test.each([second, "backup-tenant-place-0", "../admin"])("is unknown: %s", async (id) => {
    const { control } = aTaskHub({ [first]: { name: "backup-mailbox", state: "Running" } });

    expect(await control("cancel", id)).toMatchObject({ status: 404, body: { type: "/problems/job-not-found" } });
  });
});
