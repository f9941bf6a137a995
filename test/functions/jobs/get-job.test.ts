import { describe, expect, test, vi } from "vitest";
import { tenantProgress } from "../../../functions/backup/tenant-progress.ts";
import { getJob } from "../../../functions/jobs/get-job.http.ts";
import { listProgress } from "../../../functions/restore/list-progress.ts";
import { restoreProgress } from "../../../functions/restore/live-status.ts";
import { memoryBlobs } from "../../shared/storage/memory-blobs.ts";
import { aKey } from "../../shared/vault/samples.ts";
import { aFakeHub, ask, PROBLEM } from "../fake-hub.ts";

const id = `backup-${aKey}`;

const job = (status: Parameters<typeof aFakeHub>[0], wanted = id, state = memoryBlobs()) =>
  ask(
    getJob({
      ...aFakeHub(status),
      state,
      progress: {
        "backup-tenant": tenantProgress,
        "restore-mailboxes": listProgress,
        "restore-mailbox": restoreProgress(state),
      },
    }),
    { params: { id: wanted } },
  );

describe("GET /api/jobs/{id}", () => {
  test("shows a running job's progress, and asks to come back", async () => {
    const { status, headers, body } = await job({
      [id]: { runtimeStatus: "Running", customStatus: { phase: "exporting", exported: 20 } },
    });

    expect(status).toBe(200);
    expect(headers).toEqual({ "content-type": "application/json", "retry-after": "2" });
    expect(body).toEqual({
      id,
      kind: "backup-mailbox",
      state: "running",
      created: "2026-11-22T01:00:00.000Z",
      updated: "2026-11-22T01:05:00.000Z",
      progress: { phase: "exporting", exported: 20 },
    });
  });

  test.each([
    ["restore-20261121T235959Z-abc234", "2026-11-21T23:59:59.000Z"],
    ["personal-data-20261121T235959Z-abc234", "2026-11-21T23:59:59.000Z"],
    ["backup-tenant", "2026-11-22T01:00:00.000Z"],
  ])(
    "says when %s was asked for, where its id does: the hub's time moves with each generation",
    async (asked, created) => {
      const { body } = await job({ [asked]: { runtimeStatus: "Running" } }, asked);

      expect(body).toMatchObject({ created });
    },
  );

  test.each([
    ["Pending", "pending", true],
    ["ContinuedAsNew", "running", true],
    ["Suspended", "paused", false],
    ["Completed", "completed", false],
    ["Failed", "failed", false],
    ["Terminated", "cancelled", false],
    ["Canceled", "cancelled", false],
    ["SomethingNew", "unknown", false],
  ])("calls %s %s", async (runtimeStatus, state, comesBack) => {
    const { body, headers } = await job({ [id]: { runtimeStatus } });

    expect(body).toMatchObject({ state });
    expect("retry-after" in headers).toBe(comesBack);
  });

  test("shows why a job was refused as the result of one that failed", async () => {
    const result = { refused: [{ position: 3 }], count: 1 };
    const customStatus = { phase: "refused", restores: 9, result };
    const { body } = await job({ [id]: { runtimeStatus: "Failed", output: "list-refused: 1 of 9", customStatus } });

    expect(body).toMatchObject({ state: "failed", error: "list-refused: 1 of 9", result });
    expect(body).toHaveProperty("progress", { phase: "refused", restores: 9 });
  });

  test("shows the result of a job that completed, and the error of one that failed", async () => {
    const completed = await job({ [id]: { runtimeStatus: "Completed", output: { items: 5 } } });
    const failed = await job({ [id]: { runtimeStatus: "Failed", output: "Graph answered 403" } });

    expect(completed.body).toMatchObject({ result: { items: 5 } });
    expect(completed.body).not.toHaveProperty("error");
    expect(failed.body).toMatchObject({ error: "Graph answered 403" });
    expect(failed.body).not.toHaveProperty("result");
  });

  test.each(["Running", "Completed", "Failed"])("never shows input or management URLs (%s)", async (runtimeStatus) => {
    const { text } = await job({ [id]: { runtimeStatus } });

    expect(text).not.toMatch(/system-key|webhooks|the input/);
  });

  test.each([
    id,
    "backup-tenant",
    "restore-20261122T010000Z-abc234",
    "no job's id",
    "",
    "backup-tenant-place-0",
    "../x",
  ])("answers 404 for %j when there is no such job", async (wanted) => {
    const { status, headers, body } = await job({ "backup-tenant-place-0": { runtimeStatus: "Running" } }, wanted);

    expect(status).toBe(404);
    expect(headers).toEqual(PROBLEM);
    expect(body).toMatchObject({ type: "/problems/job-not-found", status: 404 });
  });

  test("adds up what the places of a tenant-wide backup have done, and lists what they are at", async () => {
    const mailbox = `backup-${aKey}`;
    const { body } = await job(
      {
        "backup-tenant": {
          name: "backup-tenant",
          runtimeStatus: "Running",
          customStatus: { phase: "backing-up", mailboxes: 9, withoutMailbox: 1, busy: 0, places: 3 },
        },
        "backup-tenant-place-0": {
          runtimeStatus: "Running",
          customStatus: { complete: 2, partial: 1, failed: 0, items: 100, bytes: 1_000, running: mailbox },
        },
        "backup-tenant-place-1": {
          runtimeStatus: "Running",
          customStatus: { complete: 1, partial: 0, failed: 1, items: 50, bytes: 500, running: "backup-gone" },
        },
        [mailbox]: { runtimeStatus: "Running", customStatus: { exported: 7, bytes: 70 } },
      },
      "backup-tenant",
    );

    expect(body).toMatchObject({
      progress: {
        phase: "backing-up",
        mailboxes: 9,
        complete: 3,
        partial: 1,
        failed: 1,
        items: 157,
        bytes: 1_570,
        running: [mailbox, "backup-gone"],
      },
    });
  });

  test("shows the status of a tenant-wide backup before it has places", async () => {
    const customStatus = { phase: "discovering", mailboxes: 0, withoutMailbox: 0, busy: 0 };

    expect(
      (
        await job(
          { "backup-tenant": { name: "backup-tenant", runtimeStatus: "Running", customStatus } },
          "backup-tenant",
        )
      ).body,
    ).toMatchObject({
      progress: customStatus,
    });
  });

  describe("of a list of restores", () => {
    const LIST = "restores-20261122T010000Z-abc234";
    const [one, other] = ["restore-20261122T010001Z-abc234", "restore-20261122T010002Z-abc234"];
    const items = { planned: 9, imported: 5, replaced: 1, present: 0, ambiguous: 0, failed: 3, missing: 0, bytes: 60 };
    const restoring = { present: 0, replaced: 0, ambiguous: 0, failed: 0, importedBytes: 0 };
    const hub = (state: string, createdTime: Date) => ({
      [LIST]: {
        name: "restore-mailboxes",
        runtimeStatus: state,
        createdTime,
        customStatus: { phase: "restoring", restores: 8, mailboxes: 8, places: 2 },
      },
      [`${LIST}-place-0`]: {
        name: "restore-in-turn",
        runtimeStatus: "Running",
        customStatus: { complete: 1, partial: 1, failed: 1, failures: [], items, running: one },
      },
      [`${LIST}-place-1`]: {
        name: "restore-in-turn",
        runtimeStatus: "Running",
        customStatus: {
          complete: 0,
          partial: 0,
          failed: 0,
          failures: [],
          items: { ...items, imported: 0 },
          running: other,
        },
      },
      [one]: {
        name: "restore-mailbox",
        runtimeStatus: "Running",
        customStatus: { ...restoring, items: 10, imported: 4, failed: 1, importedBytes: 40 },
      },
    });

    test("adds up its places and what they are at, and estimates its end from the pace so far", async () => {
      vi.useFakeTimers({ now: new Date("2026-11-22T10:00:00Z"), toFake: ["Date"] });
      const { body } = await job(hub("Running", new Date("2026-11-22T09:00:00Z")), LIST);

      expect(body).toMatchObject({
        kind: "restore-mailboxes",
        progress: {
          ...{ phase: "restoring", restores: 8, waiting: 3, running: [one, other] },
          ...{ complete: 1, partial: 1, failed: 1, imported: 9, replaced: 2, bytes: 160 },
        },
      });
      const { etaSeconds } = (body as { progress: { etaSeconds: number } }).progress;
      expect(etaSeconds).toBe(Math.ceil((3_600 * 4.5) / 3.5));
    });

    test("has no estimated end while it is paused", async () => {
      const { body } = await job(hub("Suspended", new Date("2026-11-22T01:00:00Z")), LIST);

      expect(body).toMatchObject({ state: "paused", progress: { complete: 1 } });
      expect((body as { progress: object }).progress).not.toHaveProperty("etaSeconds");
    });
  });
});
