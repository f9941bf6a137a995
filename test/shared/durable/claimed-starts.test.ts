import type { DurableClient } from "durable-functions";
import { beforeEach, describe, expect, test } from "vitest";
import { claimingStarts } from "../../../shared/durable/claimed-starts.ts";
import { startOnce } from "../../../shared/durable/start-once.ts";
import { memoryBlobs } from "../storage/memory-blobs.ts";

const TENANT = "backup-tenant";
const RESTORE = "restore-20261122T010000Z-abc234";

let now = 0;
let state: ReturnType<typeof memoryBlobs>;
/** Instances as the hub lists them. */
let instances: Map<string, { runtimeStatus: string; createdTime: Date }>;
let inputs: unknown[];

/** As the real one: a start is accepted while its id is not alive, and an instance shows some time after that. */
const hub = (showsAfterMs = 5) =>
  ({
    getStatus: async (id: string) => instances.get(id) ?? Promise.reject(new Error("HTTP 404")),
    startNew: async (_: string, { instanceId, input }: { instanceId: string; input: unknown }) => {
      await new Promise((resolve) => setTimeout(resolve, showsAfterMs));
      inputs.push(input);
      instances.set(instanceId, { runtimeStatus: "Pending", createdTime: new Date(now) });
      return instanceId;
    },
  }) as unknown as DurableClient;

const start = (client: DurableClient, input: unknown, instanceId = TENANT) =>
  startOnce(
    claimingStarts(client, state, () => now),
    "an-orchestrator",
    { instanceId, input },
  );

beforeEach(() => {
  now = Date.parse("2026-11-22T01:00:00Z");
  state = memoryBlobs();
  instances = new Map();
  inputs = [];
});

describe("ten starts of one id at the same moment", () => {
  test("start one, and the others hear so", async () => {
    const client = hub();
    const outcomes = await Promise.all(Array.from({ length: 10 }, (_, n) => start(client, n)));

    expect(outcomes.filter((outcome) => outcome === "started")).toHaveLength(1);
    expect(inputs).toEqual([outcomes.indexOf("started")]);
  });

  test("of a kind with ids of its own are all made", async () => {
    const client = hub();
    await Promise.all([1, 2, 3].map((n) => start(client, n, `${RESTORE.slice(0, -1)}${n + 1}`)));

    expect(inputs).toHaveLength(3);
    expect(state.blobs.size).toBe(0);
  });
});

describe("a later start", () => {
  test("waits for nobody once the one before has ended, however soon", async () => {
    expect(await start(hub(), "first")).toBe("started");
    instances.set(TENANT, { runtimeStatus: "Completed", createdTime: new Date(now) });
    now += 2_000;

    expect(await start(hub(), "second")).toBe("started");
    expect(inputs).toEqual(["first", "second"]);
  });

  test("takes over after a minute from one that died between its claim and its start", async () => {
    const dies = { ...hub(), startNew: () => new Promise<string>(() => undefined) } as unknown as DurableClient;
    void start(dies, "dead");
    await new Promise((resolve) => setTimeout(resolve, 5));

    now += 59_000;
    expect(await start(hub(), "early")).toBe("already-running");
    now += 2_000;
    expect(await start(hub(), "late")).toBe("started");
    expect(inputs).toEqual(["late"]);
  });

  test("need not wait after one that failed", async () => {
    const fails = { ...hub(), startNew: () => Promise.reject(new Error("HTTP 500")) } as unknown as DurableClient;
    await expect(start(fails, "first")).rejects.toThrow("HTTP 500");

    expect(await start(hub(), "second")).toBe("started");
  });

  test("does not heed a claim of a clock that is ahead", async () => {
    now += 600_000;
    const dies = { ...hub(), startNew: () => new Promise<string>(() => undefined) } as unknown as DurableClient;
    void start(dies, "dead");
    await new Promise((resolve) => setTimeout(resolve, 5));
    now -= 600_000;

    expect(await start(hub(), "right")).toBe("started");
  });
});

test("a start fails when its claim cannot be written", async () => {
  state.replace = () => Promise.reject(new Error("Storage is away"));

  await expect(start(hub(), "first")).rejects.toThrow("Storage is away");
  expect(inputs).toEqual([]);
});
