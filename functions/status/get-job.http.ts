import type { HttpHandler } from "@azure/functions";
import type { DurableOrchestrationStatus } from "durable-functions";
import type { ClientOf } from "../../shared/durable/client.ts";
import { findInstance } from "../../shared/durable/start-once.ts";
import { json, problem } from "../../shared/http/problem.ts";
import { backupTenantInstance, JobId } from "../../shared/ids.ts";
import { tenantProgress } from "./tenant-progress.ts";

const STATES: Readonly<Record<string, string>> = {
  Pending: "pending",
  Running: "running",
  ContinuedAsNew: "running",
  Suspended: "paused",
  Completed: "completed",
  Failed: "failed",
  Terminated: "cancelled",
  Canceled: "cancelled",
};

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
    if (job.id === backupTenantInstance && job.state === "running")
      job.progress = await tenantProgress(client, status.customStatus);
    const isOpen = job.state === "pending" || job.state === "running";
    return json(200, job, isOpen ? { "retry-after": RETRY_AFTER_SECONDS } : {});
  };

interface Job {
  readonly id: string;
  readonly kind: string;
  readonly state: string;
  readonly created: string;
  readonly updated: string;
  progress?: unknown;
  readonly result?: unknown;
  readonly error?: string;
}

const jobOf = ({
  instanceId,
  name,
  runtimeStatus,
  createdTime,
  lastUpdatedTime,
  customStatus,
  output,
}: DurableOrchestrationStatus): Job => {
  const state = STATES[String(runtimeStatus)] ?? "unknown";
  return {
    id: instanceId,
    kind: name,
    state,
    created: new Date(createdTime).toISOString(),
    updated: new Date(lastUpdatedTime).toISOString(),
    ...(customStatus ? { progress: customStatus } : {}),
    ...(state === "completed" ? { result: output } : {}),
    ...(state === "failed" ? { error: String(output) } : {}),
  };
};
