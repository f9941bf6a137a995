import type { HttpResponseInit } from "@azure/functions";
import type { AuditLog } from "../../shared/audit/audit-log.ts";
import { auditOrRefuse } from "../../shared/audit/audit-or-refuse.ts";
import { personalDataInstance } from "../../shared/contracts/job-ids.ts";
import { byteRange } from "../../shared/http/byte-range.ts";
import type { SignedInHandler } from "../../shared/http/guard.ts";
import { pacedBody } from "../../shared/http/paced-body.ts";
import { problemResponse } from "../../shared/http/problem.ts";
import { isFileName } from "./package-names.ts";
import type { Packages } from "./packages.ts";

const notFound = (): HttpResponseInit =>
  problemResponse(404, "file-not-found", "There is no such file: the export's inventory lists all files.");

/** Files are personal data: no browser may show one as a page of this site, and no proxy may store it. */
const HEADERS = {
  "content-type": "application/octet-stream",
  "content-disposition": "attachment",
  "x-content-type-options": "nosniff",
  "cache-control": "no-store",
  "accept-ranges": "bytes",
};

/**
 * GET /api/personal-data-exports/{id}/files/{name}
 *
 * 200 with a file of the package, or 206 with one range of it, both streamed; 404 for a file or an export that does not
 * exist; 416 for a range beyond the end; 503 when the audit log cannot be written, which has a line for each file that
 * is read, and for a range that begins it. Several ranges are answered with the whole file, and so is a range with
 * `If-Range`, since files have no version.
 */
export const getPersonalDataFile =
  (deps: { readonly packages: Packages; readonly audit: AuditLog }): SignedInHandler =>
  async (request, context, principal) => {
    const exportId = personalDataInstance.parse(request.params["id"] ?? "")?.[0];
    const name = request.params["name"] ?? "";
    if (exportId === undefined || !isFileName(name)) return notFound();
    const container = (await deps.packages.find(exportId)).at(-1);
    if (container === undefined) return notFound();
    const files = deps.packages.open(container);
    const found = await files.info(name);
    if (found === undefined) return notFound();

    const { bytes: size } = found;
    const range = byteRange(request.headers.has("if-range") ? null : request.headers.get("range"), size);
    if (range === "unsatisfiable") {
      const refusal = problemResponse(
        416,
        "range-not-satisfiable",
        `The file has ${size} bytes: name a range of these.`,
        {
          size,
        },
      );
      return { ...refusal, headers: { ...refusal.headers, "content-range": `bytes */${size}` } };
    }
    // A download in parts has one line, that of its first.
    if (range === undefined || range.offset === 0) {
      const entry = { event: "personal-data-read" as const, at: new Date().toISOString(), principal: principal.id };
      const job = personalDataInstance(exportId);
      const refused = await auditOrRefuse(deps.audit, context, "personal-data", [{ ...entry, job }]);
      if (refused !== undefined) return refused;
    }
    const content = await files.read(name, range);
    if (content === undefined) return notFound();
    const body = pacedBody(context.invocationId, content);
    const length = String(range?.length ?? size);
    if (range === undefined) return { status: 200, headers: { ...HEADERS, "content-length": length }, body };
    const contentRange = `bytes ${range.offset}-${range.offset + range.length - 1}/${size}`;
    return { status: 206, headers: { ...HEADERS, "content-length": length, "content-range": contentRange }, body };
  };
