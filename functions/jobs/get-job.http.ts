import type { HttpHandler } from "@azure/functions";
import { backupTenantInstance, JobId, restoresInstance } from "../../shared/contracts/job-ids.ts";
import type { ClientOf } from "../../shared/durable/client.ts";
import { findInstance } from "../../shared/durable/start-once.ts";
import { json, problem } from "../../shared/http/problem.ts";
import { jobOf, progressIn } from "./job.ts";
import { listProgress } from "./list-progress.ts";
import { tenantProgress } from "./tenant-progress.ts";

/** A caller who polls faster than this learns nothing new. */
const RETRY_AFTER_SECONDS = "2";

/**
 * GET /api/jobs/{id}
 *
 * 200 with the job's state, progress and, at its end, result or error; 404 for a job that does not exist. The instance's
 * input and the management URLs of the durable extension are never shown.
 */
export const getJob =
  (deps: { readonly clientOf: ClientOf }): HttpHandler =>
  async (request, context) => {
    const id = JobId.safeParse(request.params["id"]);
    const client = deps.clientOf(context);
    const status = id.success ? await findInstance(client, id.data) : undefined;
    if (status === undefined) return problem(404, "job-not-found", "There is no such job, or its history was purged.");
    const job = jobOf(status);
    if (job.state === "running" || job.state === "paused") {
      if (job.id === backupTenantInstance()) job.progress = await tenantProgress(client, status.customStatus);
      if (restoresInstance.parse(job.id)?.[0] !== undefined)
        job.progress = progressIn(job.state, await listProgress(client, status, Date.now()));
    }
    const isOpen = job.state === "pending" || job.state === "running";
    return json(200, job, isOpen ? { "retry-after": RETRY_AFTER_SECONDS } : {});
  };
