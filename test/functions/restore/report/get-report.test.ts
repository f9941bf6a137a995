import { describe, expect, test } from "vitest";
import { getReport } from "../../../../functions/restore/report/get-report.http.ts";
import { keepRestoreReport, type RestoreReport } from "../../../../functions/restore/report/restore-report.ts";
import { keepUndoReport, type UndoReport } from "../../../../functions/restore/undo/undo-report.ts";
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

const UNDO = "undo-20261122T103000Z-und567";

const anUndoReport: UndoReport = {
  v: 1,
  undoId: "20261122T103000Z-und567",
  restoreId: aRestoreId,
  mailbox: "a".repeat(26),
  dryRun: true,
  started: "2026-11-22T10:30:00.000Z",
  finished: "2026-11-22T10:31:00.000Z",
  counts: {
    ...{ deleted: 0, changed: 1, alreadyGone: 0, replaced: 0, ambiguous: 1, notPermitted: 0, refused: 0 },
    folder: "kept",
  },
  folder: {
    ...{ outcome: "kept", folderId: "live-top", displayName: "Restored 2026" },
    ...{ strangeItems: 1, changedItems: 0, strangeFolders: 0, lookAt: ["live-9"] },
  },
  items: [
    { folderId: "f1", id: "i1", itemId: "live-1", outcome: "changed", code: "version-unknown" },
    { folderId: "f1", id: "i2", outcome: "ambiguous", code: "no-answer", lookAt: ["live-2", "live-3"] },
  ],
  unlisted: 0,
};

const anApi = async ({ report, state, job = JOB }: { report?: RestoreReport; state?: string; job?: string } = {}) => {
  const work = memoryBlobs();
  if (report !== undefined) await keepRestoreReport(work, report);
  const hub = aFakeHub(state === undefined ? {} : { [job]: { runtimeStatus: state, name: "restore-mailbox" } });
  const get = (id: string = JOB, headers: Record<string, string> = {}) =>
    ask(getReport({ ...hub, work }), { params: { id }, headers });
  return { get, work };
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

  test("answers with the report of an undo in both forms, also of a dry run", async () => {
    const { get, work } = await anApi();
    await keepUndoReport(work, anUndoReport);

    expect(await get(UNDO)).toMatchObject({ status: 200, body: anUndoReport });
    expect((await get(UNDO, { accept: "text/csv" })).text.split("\r\n")).toEqual([
      "row,folderId,path,id,itemId,outcome,code,lookAt",
      "folder,live-top,Restored 2026,,,kept,,live-9",
      "item,f1,,i1,live-1,changed,version-unknown,",
      "item,f1,,i2,,ambiguous,no-answer,live-2 live-3",
      "",
    ]);
  });

  test("answers 409 and the state of an undo that has no report, and 404 where there is no such undo", async () => {
    const { get } = await anApi({ job: UNDO, state: "Running" });

    expect(await get(UNDO)).toMatchObject({ status: 409, body: { state: "running" } });
    expect(await get(`${UNDO.slice(0, -1)}2`)).toMatchObject({ status: 404 });
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
