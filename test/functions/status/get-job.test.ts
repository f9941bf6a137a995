import { describe, expect, test } from "vitest";
import { getJob } from "../../../functions/status/get-job.http.ts";
import { aKey } from "../../shared/vault/samples.ts";
import { aFakeHub, ask, PROBLEM } from "../fake-hub.ts";

const id = `backup-${aKey}`;

const job = (status: Parameters<typeof aFakeHub>[0], wanted = id) =>
  ask(getJob(aFakeHub(status)), { params: { id: wanted } });

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

  test("sums up what the places of a tenant-wide backup have done, and what they are at", async () => {
    const mailbox = `backup-${aKey}`;
    const { body } = await job(
      {
        "backup-tenant": {
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

  test("shows what a tenant-wide backup says of itself before it has places", async () => {
    const customStatus = { phase: "discovering", mailboxes: 0, withoutMailbox: 0, busy: 0 };

    expect(
      (await job({ "backup-tenant": { runtimeStatus: "Running", customStatus } }, "backup-tenant")).body,
    ).toMatchObject({
      progress: customStatus,
    });
  });
});
