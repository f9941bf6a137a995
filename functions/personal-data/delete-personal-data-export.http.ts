import type { AuditLog } from "../../shared/audit/audit-log.ts";
import { auditOrRefuse } from "../../shared/audit/audit-or-refuse.ts";
import { personalDataInstance } from "../../shared/contracts/job-ids.ts";
import type { ClientOf } from "../../shared/durable/client.ts";
import { findInstance, isAlive } from "../../shared/durable/start-once.ts";
import type { SignedInHandler } from "../../shared/http/guard.ts";
import { problemResponse } from "../../shared/http/problem.ts";
import { exportNotFound } from "./export-not-found.ts";
import type { Packages } from "./packages.ts";

/**
 * DELETE /api/personal-data-exports/{id}
 *
 * 204 when the package is removed, now or before; 404 for an export that does not exist; 409 while it runs;
 * 503 when the audit log cannot be written: nothing is removed without it.
 */
export const deletePersonalDataExport =
  (deps: { readonly clientOf: ClientOf; readonly packages: Packages; readonly audit: AuditLog }): SignedInHandler =>
  async (request, context, principal) => {
    const id = request.params["id"] ?? "";
    const exportId = personalDataInstance.parse(id)?.[0];
    const job = exportId === undefined ? undefined : await findInstance(deps.clientOf(context), id);
    const containers = exportId === undefined ? [] : await deps.packages.find(exportId);
    if (exportId === undefined || (job === undefined && containers.length === 0)) return exportNotFound();
    if (isAlive(job))
      return problemResponse(
        409,
        "still-running",
        "The export is running: wait for its end, or cancel its job first.",
        {
          job: id,
        },
      );
    const entry = { event: "personal-data-removed" as const, at: new Date().toISOString(), principal: principal.id };
    const line = { ...entry, job: personalDataInstance(exportId) };
    const refused = await auditOrRefuse(deps.audit, context, "personal-data", containers.length > 0 ? [line] : []);
    if (refused !== undefined) return refused;
    for (const container of containers) await deps.packages.remove(container);
    return { status: 204 };
  };
