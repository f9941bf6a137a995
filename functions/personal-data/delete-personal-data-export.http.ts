import type { HttpHandler } from "@azure/functions";
import { personalDataInstance } from "../../shared/contracts/job-ids.ts";
import type { ClientOf } from "../../shared/durable/client.ts";
import { findInstance, isAlive } from "../../shared/durable/start-once.ts";
import { problemResponse } from "../../shared/http/problem.ts";
import { exportNotFound } from "./export-not-found.ts";
import type { Packages } from "./packages.ts";

/**
 * DELETE /api/personal-data-exports/{id}
 *
 * 204 when the package is removed, now or before; 404 for an export that does not exist; 409 while it runs.
 */
export const deletePersonalDataExport =
  (deps: { readonly clientOf: ClientOf; readonly packages: Packages }): HttpHandler =>
  async (request, context) => {
    const id = request.params["id"] ?? "";
    const exportId = personalDataInstance.parse(id)?.[0];
    const job = exportId === undefined ? undefined : await findInstance(deps.clientOf(context), id);
    const containers = exportId === undefined ? [] : await deps.packages.find(exportId);
    if (job === undefined && containers.length === 0) return exportNotFound();
    if (isAlive(job))
      return problemResponse(
        409,
        "still-running",
        "The export is running: wait for its end, or cancel its job first.",
        {
          job: id,
        },
      );
    for (const container of containers) await deps.packages.remove(container);
    return { status: 204 };
  };
