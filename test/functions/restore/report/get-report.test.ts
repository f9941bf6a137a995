import { describe, expect, test } from "vitest";
import { getReport } from "../../../../functions/restore/report/get-report.http.ts";
import { keepRestoreReport, type RestoreReport } from "../../../../functions/restore/report/restore-report.ts";
import { memoryBlobs } from "../../../shared/storage/memory-blobs.ts";
import { aFakeHub, ask, PROBLEM } from "../../fake-hub.ts";
import { aRestoreId } from "../../kit.ts";

const JOB = `restore-${aRestoreId}`;

const aReport = (): RestoreReport => ({
  v: 1,
  restoreId: aRestoreId,
  mailbox: "a".repeat(26),
  snapshot: "20261122T010000Z-abc234",
  started: "2026-11-22T09:30:01.000Z",
  finished: "2026-11-22T09:31:00.000Z",
  counts: { imported: 1, replaced: 0, present: 4, ambiguous: 0, failed: 1, missing: 1, bytes: 10 },
  folders: [
    {
      folderId: "f1",
      path: '=cmd("x"),y',
      wanted: 4,
      imported: 2,
      replaced: 1,
      present: 2,
      missing: 2,
      alreadyThere: 4,
      surplus: 1,
    },
    { folderId: "f2", wanted: 0, imported: 0, replaced: 0, present: 0, missing: 0, alreadyThere: 0, surplus: 0 },
  ],
  items: [
    { folderId: "f1", id: "i1", outcome: "failed", code: "ErrorItemTooLarge" },
    { folderId: "f1", id: "i2", outcome: "missing" },
    { folderId: "f1", id: "i3", outcome: "surplus", lookAt: ["live-1", "live-2"] },
  ],
});

const anApi = async ({ report, state }: { report?: RestoreReport; state?: string } = {}) => {
  const work = memoryBlobs();
  if (report !== undefined) await keepRestoreReport(work, report);
  const hub = aFakeHub(state === undefined ? {} : { [JOB]: { runtimeStatus: state, name: "restore-mailbox" } });
  const get = (id: string = JOB, headers: Record<string, string> = {}) =>
    ask(getReport({ ...hub, work }), { params: { id }, headers });
  return { get };
};

describe("GET /api/restores/{id}/report", () => {
  test("answers with the report as JSON, also when the job's history is gone", async () => {
    const { get } = await anApi({ report: aReport() });

    expect(await get()).toMatchObject({
      status: 200,
      headers: { "content-type": "application/json", vary: "accept" },
      body: aReport(),
    });
  });

  test("answers with one table to a caller who prefers CSV", async () => {
    const { get } = await anApi({ report: aReport() });

    const { status, headers, text } = await get(JOB, { accept: "text/csv, application/json;q=0.5" });

    expect({ status, headers }).toEqual({
      status: 200,
      headers: { "content-type": "text/csv; charset=utf-8", vary: "accept" },
    });
    const path = '"\'=cmd(""x""),y"';
    expect(text.split("\r\n")).toEqual([
      "row,folderId,path,wanted,imported,replaced,present,missing,alreadyThere,surplus,id,outcome,code,lookAt",
      `folder,f1,${path},4,2,1,2,2,4,1,,,,`,
      "folder,f2,,0,0,0,0,0,0,0,,,,",
      `item,f1,${path},,,,,,,,i1,failed,ErrorItemTooLarge,`,
      `item,f1,${path},,,,,,,,i2,missing,,`,
      `item,f1,${path},,,,,,,,i3,surplus,,live-1 live-2`,
      "",
    ]);
  });

  test("answers 406 to a caller who accepts neither", async () => {
    const { get } = await anApi({ report: aReport() });

    expect(await get(JOB, { accept: "text/html" })).toMatchObject({
      status: 406,
      headers: PROBLEM,
      body: { type: "/problems/not-acceptable" },
    });
  });

  test.each([
    ["Running", "running"],
    ["Suspended", "paused"],
    ["Failed", "failed"],
    ["Completed", "completed"],
  ])("answers 409 and the state of a job that is %s and has no report", async (runtimeStatus, state) => {
    const { get } = await anApi({ state: runtimeStatus });

    expect(await get()).toMatchObject({
      status: 409,
      headers: PROBLEM,
      body: { type: "/problems/restore-not-finished", state },
    });
  });

  test.each([JOB, aRestoreId, "backup-tenant", "restore-", "restore-../plan", ""])(
    "answers 404 for %j, which is no restore",
    async (id) => {
      const { get } = await anApi();

      expect(await get(id)).toMatchObject({
        status: 404,
        headers: PROBLEM,
        body: { type: "/problems/restore-not-found" },
      });
    },
  );
});
