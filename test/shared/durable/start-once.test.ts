import { describe, expect, test } from "vitest";
import {
  findInstance,
  isAlive,
  startOnce,
  startOnceFor,
  startUnlessKnown,
} from "../../../shared/durable/start-once.ts";

type Client = Parameters<typeof startOnce>[0];

const options = { instanceId: "backup-tenant", input: { trigger: "request" } };

/** A task hub in memory that refuses the second start of a live id, as the extension does. */
const aTaskHub = (found: Record<string, string> = {}) => {
  const statuses = new Map(Object.entries(found));
  const starts: unknown[] = [];
  const client = {
    getStatus: async (id: string) => {
      const runtimeStatus = statuses.get(id);
      if (runtimeStatus === undefined) throw new Error(`The operation failed: HTTP 404 for ${id}`);
      return { runtimeStatus };
    },
    startNew: async (name: string, { instanceId, input }: typeof options) => {
      await Promise.resolve();
      if (isAlive({ runtimeStatus: statuses.get(instanceId) } as never)) throw new Error("HTTP 500");
      statuses.set(instanceId, "Pending");
      starts.push([name, instanceId, input]);
      return instanceId;
    },
  } as unknown as Client;
  return { client, starts };
};

describe("startOnce", () => {
  test("starts an orchestration whose id is unused", async () => {
    const { client, starts } = aTaskHub();

    expect(await startOnce(client, "backup-tenant", options)).toBe("started");
    expect(starts).toEqual([["backup-tenant", "backup-tenant", { trigger: "request" }]]);
  });

  test.each(["Completed", "Failed", "Terminated", "Canceled"])(
    "starts an instance again that is %s",
    async (status) => {
      const { client } = aTaskHub({ "backup-tenant": status });
      expect(await startOnce(client, "backup-tenant", options)).toBe("started");
    },
  );

  test.each(["Running", "Pending", "Suspended", "ContinuedAsNew"])(
    "leaves an instance alone that is %s",
    async (status) => {
      const { client, starts } = aTaskHub({ "backup-tenant": status });
      expect(await startOnce(client, "backup-tenant", options)).toBe("already-running");
      expect(starts).toEqual([]);
    },
  );

  test("starts one when many come at the same time", async () => {
    const { client, starts } = aTaskHub();

    const outcomes = await Promise.all(Array.from({ length: 10 }, () => startOnce(client, "backup-tenant", options)));

    expect(outcomes.filter((outcome) => outcome === "started")).toHaveLength(1);
    expect(starts).toHaveLength(1);
  });

  test("throws the error of a failed start when no instance is alive after it", async () => {
    const { client } = aTaskHub();
    const failing = { ...client, startNew: () => Promise.reject(new Error("storage is down")) };

    await expect(startOnce(failing, "backup-tenant", options)).rejects.toThrow("storage is down");
  });
});

describe("startUnlessKnown", () => {
  test("starts an orchestration whose id was never used, once when many come at the same time", async () => {
    const { client, starts } = aTaskHub();

    const outcomes = await Promise.all(
      Array.from({ length: 10 }, () => startUnlessKnown(client, "backup-tenant", options)),
    );

    expect(outcomes.filter((outcome) => outcome === "started")).toHaveLength(1);
    expect(starts).toHaveLength(1);
  });

  test.each(["Running", "Completed", "Failed", "Terminated"])(
    "never starts an instance again that is %s",
    async (status) => {
      const { client, starts } = aTaskHub({ "backup-tenant": status });

      expect(await startUnlessKnown(client, "backup-tenant", options)).toBe("known");
      expect(starts).toEqual([]);
    },
  );
});

describe("findInstance", () => {
  test("throws any error other than an unknown id", async () => {
    const client = { getStatus: () => Promise.reject(new Error("HTTP 503")) };
    await expect(findInstance(client, "x")).rejects.toThrow("HTTP 503");
  });
});

describe("startOnceFor", () => {
  const at = new Date("2026-11-22T01:00:00Z");
  const aTenantJob = (createdTime: string, input: unknown = options.input) => {
    const status = { runtimeStatus: "Running", createdTime: new Date(createdTime), input };
    return { getStatus: async () => status, startNew: async () => Promise.reject(new Error("HTTP 500")) };
  };
  const start = (job: ReturnType<typeof aTenantJob>, hasKey = true) =>
    startOnceFor({ at, hasKey }, job as unknown as Client, "backup-tenant", options);

  test("takes what the same call started before for its own", async () => {
    expect(await start(aTenantJob("2026-11-22T01:00:01Z"))).toBe("started");
  });

  test.each([
    ["began before the call was first made", aTenantJob("2026-11-22T00:59:00Z"), true],
    ["has another input", aTenantJob("2026-11-22T01:00:01Z", { trigger: "timer" }), true],
    ["may be anybody's, as the call has no key", aTenantJob("2026-11-22T01:00:01Z"), false],
  ])("does not take one for its own that %s", async (_, job, hasKey) => {
    expect(await start(job, hasKey)).toBe("already-running");
  });
});
