import type { HttpHandler, HttpResponseInit } from "@azure/functions";
import { restoreInstance, restoresInstance, undoInstance } from "../../../shared/contracts/job-ids.ts";
import type { ClientOf } from "../../../shared/durable/client.ts";
import { jobState } from "../../../shared/durable/job-status.ts";
import { findInstance } from "../../../shared/durable/start-once.ts";
import { preferredType } from "../../../shared/http/accept.ts";
import { type Cell, csvOf } from "../../../shared/http/csv.ts";
import { json, problemResponse } from "../../../shared/http/problem.ts";
import type { Blobs } from "../../../shared/storage/blobs.ts";
import { findUndoReport, undoTable } from "../undo/undo-report.ts";
import { listReport } from "./list-report.ts";
import { listTable, reportTable } from "./report-table.ts";
import { findRestoreReport } from "./restore-report.ts";

const notFound = () => problemResponse(404, "restore-not-found", "There is no such restore.");

const WHEN = "one is written at its end, except for the dry run of a restore, and kept for a week.";

const VARY = { vary: "accept" };

/** The answer with a report in the type that the caller accepts. */
const answer = <T extends object>(type: string, report: T, tableOf: (report: T) => Cell[][]): HttpResponseInit =>
  type === "application/json"
    ? json(200, report, VARY)
    : { status: 200, headers: { "content-type": "text/csv; charset=utf-8", ...VARY }, body: csvOf(tableOf(report)) };

/**
 * GET /api/restores/{id}/report
 *
 * 200 with the report as JSON, or as CSV if the caller prefers that; 404 for a restore that does not exist; 406 for a
 * caller who accepts neither; 409 with the job's state while there is no report. The dry run of a restore never has a
 * report, that of an undo has one. A list of restores has one from its start, with the state of each restore.
 */
export const getReport =
  (deps: { readonly clientOf: ClientOf; readonly work: Blobs }): HttpHandler =>
  async (request, context) => {
    const type = preferredType(request.headers.get("accept"), ["application/json", "text/csv"]);
    if (type === undefined)
      return problemResponse(406, "not-acceptable", "A report is application/json or text/csv: accept one of them.");

    const id = request.params["id"] ?? "";
    const client = deps.clientOf(context);
    const listId = restoresInstance.parse(id)?.[0];
    if (listId !== undefined) {
      const report = await listReport(client, deps.work, listId);
      return report === undefined ? notFound() : answer(type, report, listTable);
    }

    const undoId = undoInstance.parse(id)?.[0];
    const undone = undoId && (await findUndoReport(deps.work, undoId));
    if (undone) return answer(type, undone, undoTable);

    const restoreId = restoreInstance.parse(id)?.[0];
    const report = restoreId && (await findRestoreReport(deps.work, restoreId));
    if (report) return answer(type, report, reportTable);

    const job = undoId || restoreId ? await findInstance(client, id) : undefined;
    if (job === undefined) return notFound();
    const state = jobState(job);
    const detail = `The job is ${state} and has no report: ${WHEN}`;
    return problemResponse(409, "restore-not-finished", detail, { state });
  };
