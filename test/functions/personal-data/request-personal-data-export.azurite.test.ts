import { describe, expect, test } from "vitest";
import { checkPersonalDataExportActivity } from "../../../functions/personal-data/check-personal-data-export.activity.ts";
import { packageName } from "../../../functions/personal-data/package-names.ts";
import {
  checkPersonalDataExport,
  requestPersonalDataExport,
} from "../../../functions/personal-data/personal-data.contract.ts";
import { requestPersonalDataExportActivity } from "../../../functions/personal-data/request-personal-data-export.activity.ts";
import { deliver } from "../kit.ts";
import { aPerson } from "./a-person.ts";
import { anExportId } from "./an-export.ts";

/** A request for the person's data, by the real activity. */
const aRequest = async (...settings: Parameters<typeof aPerson>) => {
  const kit = await aPerson(...settings);
  const exportId = anExportId();
  const handler = requestPersonalDataExportActivity(kit);
  const request = (attempt = 1, userId = kit.userId) =>
    deliver(handler, requestPersonalDataExport, { exportId, userId, attempt });
  const check = (operationId: string) =>
    deliver(checkPersonalDataExportActivity(kit), checkPersonalDataExport, { operationId });
  const exports = () => kit.admin.exports({});
  return { ...kit, exportId, request, check, exports };
};

describe("request-personal-data-export", () => {
  test("asks Graph to export into a new container, and returns the operation", async () => {
    const { request, exports, packages, exportId } = await aRequest();

    const answer = await request();

    const [started] = await exports();
    expect(answer).toEqual({ outcome: "accepted", attempt: 1, operationId: started?.id, retryAfterMs: 60_000 });
    expect(await packages.find(exportId)).toEqual([packageName(exportId)]);
  });

  test("delivered again, makes no other request", async () => {
    const { request, exports } = await aRequest();
    const first = await request();

    expect(await request()).toEqual(first);
    expect(await exports()).toHaveLength(1);
  });

  test("delivered twice at the same time, leaves one export running", async () => {
    const { request, exports } = await aRequest();
    const answers = await Promise.all([request(), request()]);

    const outcomes = new Set(answers.map(({ outcome }) => outcome));
    expect(outcomes.has("accepted")).toBe(true);
    expect([...outcomes].every((outcome) => outcome === "accepted" || outcome === "unanswered")).toBe(true);
    expect(await exports()).toHaveLength(1);
    // The delivery without an answer gets it the next time.
    expect((await request()).outcome).toBe("accepted");
  });

  test("delivered again after its answer was lost, returns that the outcome is unknown", async () => {
    const { request, exports, fault } = await aRequest();
    await fault({ kind: "reset", endpoint: "export-personal-data", when: "after-commit", count: 1 });
    await expect(request()).rejects.toThrow("did not answer");

    expect(await request()).toEqual({ outcome: "unanswered" });
    expect(await exports()).toHaveLength(1);
  });

  test("the next attempt uses another container, and the lost export cannot write any more", async () => {
    const { request, exports, fault, packages, exportId, step } = await aRequest();
    await fault({ kind: "reset", endpoint: "export-personal-data", when: "after-commit", count: 1 });
    await request().catch(() => undefined);
    const answer = await request(2);

    expect(answer).toMatchObject({ outcome: "accepted", attempt: 2 });
    expect(await packages.find(exportId)).toEqual([packageName(exportId, 2)]);
    await step(9);
    expect((await exports()).map(({ status }) => status)).toEqual(["failed", "complete"]);
  });

  test("the next attempt returns a late answer as its own", async () => {
    const { request, exports, packages, exportId } = await aRequest();
    const first = await request(1);

    expect(await request(2)).toEqual(first);
    expect(await exports()).toHaveLength(1);
    expect(await packages.find(exportId)).toEqual([packageName(exportId)]);
  });

  test("requests the same container again when the first request did not arrive", async () => {
    const { request, exports, fault } = await aRequest();
    await fault({ kind: "reset", endpoint: "export-personal-data", when: "before", count: 1 });
    await expect(request()).rejects.toThrow("did not answer");

    expect(await request()).toMatchObject({ outcome: "accepted", attempt: 1 });
    expect(await exports()).toHaveLength(1);
  });

  test("is limited when the day's exports are used up", async () => {
    const { request, admin } = await aRequest();
    await admin.settings({ limits: { maxExportsOfTenant: 1 } });
    await request(1);
    const other = await aRequest();
    await other.admin.settings({ limits: { maxExportsOfUser: 1 } });
    await other.request(1);
    const handler = requestPersonalDataExportActivity(other);
    const again = { exportId: anExportId(), userId: other.userId, attempt: 1 };

    expect(await deliver(handler, requestPersonalDataExport, again)).toEqual({ outcome: "limited" });
  });

  test("waits as long as Graph says", async () => {
    const { request, fault } = await aRequest();
    await fault({ kind: "status", endpoint: "export-personal-data", status: 429, retryAfter: 7, count: 1 });

    expect(await request()).toEqual({ outcome: "limited", retryAfterMs: 7_000 });
  });

  test.each<[status: number, code: string]>([
    [403, "Authorization_RequestDenied"],
    [400, "StorageLocationShouldSupportAppendBlobs"],
  ])("is refused for good with %i %s", async (status, code) => {
    const { request, fault } = await aRequest();
    await fault({ kind: "status", endpoint: "export-personal-data", status, code });

    expect(await request()).toEqual({ outcome: "refused", status, code });
  });

  test("is refused for a person who is not in the directory", async () => {
    const { request } = await aRequest();

    expect(await request(1, "nobody")).toEqual({ outcome: "refused", status: 404, code: "Request_ResourceNotFound" });
  });

  test("fails when Graph fails, so that it is tried again", async () => {
    const { request, fault, exports } = await aRequest();
    await fault({ kind: "status", endpoint: "export-personal-data", status: 503, count: 1 });

    await expect(request()).rejects.toThrow("503");
    expect(await exports()).toEqual([]);
  });

  test("keeps nothing of the URL, and has nothing of it in errors", async () => {
    const { request, fault, work, packages, exportId } = await aRequest();
    await fault({ kind: "reset", endpoint: "export-personal-data", when: "before", count: 1 });
    const failure = await request().catch((error: unknown) => error);
    const answer = await request();

    const files = packages.open(packageName(exportId));
    const kept = [...work.blobs].map(([name, { body }]) => `${name} ${body}`);
    for await (const { name } of files.list("")) kept.push(`${name} ${(await files.readWhole(name))?.body}`);
    expect(kept).toHaveLength(2);
    const said = failure instanceof Error ? `${failure.message} ${failure.stack} ${JSON.stringify(failure)}` : "";
    for (const text of [...kept, said, JSON.stringify(answer)]) expect(text).not.toMatch(/sig=|sv=\d/);
  });
});

describe("check-personal-data-export", () => {
  const started = async (...settings: Parameters<typeof aPerson>) => {
    const kit = await aRequest(...settings);
    const answer = await kit.request();
    const operationId = answer.outcome === "accepted" ? answer.operationId : "";
    return { ...kit, look: () => kit.check(operationId) };
  };

  test("returns the states of an export, one after the other", async () => {
    const { look, step } = await started();

    expect(await look()).toEqual({ state: "notStarted", progress: 0 });
    await step(2);
    expect(await look()).toEqual({ state: "running", progress: 25 });
    await step(4);
    expect(await look()).toEqual({ state: "complete", progress: 100 });
  });

  test.each<[what: string, behaviours: NonNullable<Parameters<typeof aPerson>[0]>["behaviours"], seen: object]>([
    ["progress as text", { exportProgress: "string" }, { state: "running", progress: 25 }],
    ["a state of the future", { exportRunningStatus: "onHold" }, { state: "unknown", progress: 25 }],
    ["how long to wait", { operationRetryAfterSeconds: 9 }, { state: "running", progress: 25, retryAfterMs: 9_000 }],
  ])("reads %s", async (_, behaviours, seen) => {
    const { look, step } = await started({ behaviours });
    await step(2);

    expect(await look()).toEqual(seen);
  });

  test("returns that an export failed", async () => {
    const { look, step } = await started({ behaviours: { exportOutcome: "failed" } });
    await step(9);

    expect(await look()).toMatchObject({ state: "failed" });
  });

  test("returns no state while Graph throttles", async () => {
    const { look, fault } = await started();
    await fault({ kind: "status", endpoint: "data-policy-operation", status: 429, retryAfter: 3_600 });

    expect(await look()).toEqual({ state: "limited", retryAfterMs: 3_600_000 });
  });

  test("fails for an unknown operation", async () => {
    const { check } = await aRequest();

    await expect(check("unknown")).rejects.toThrow("404");
  });
});
