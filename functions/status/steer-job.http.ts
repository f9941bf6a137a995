import type { HttpHandler } from "@azure/functions";
import type { ClientOf } from "../../shared/durable/client.ts";
import { findInstance } from "../../shared/durable/start-once.ts";
import { json, problem } from "../../shared/http/problem.ts";
import { JobId } from "../../shared/ids.ts";
import { jobOf, stateOf } from "./job.ts";
import type { Steer } from "./steer-job.ts";

/**
 * POST /api/jobs/{id}/pause, /resume and /cancel
 *
 * 202 with the job, its parts steered with it; 404 for a job that does not exist; 409 that names the job's state when
 * there is nothing in it to pause, resume or cancel.
 */
export const steerJob =
  (deps: { readonly clientOf: ClientOf; readonly steer: Steer }): HttpHandler =>
  async (request, context) => {
    const id = JobId.safeParse(request.params["id"]);
    const client = deps.clientOf(context);
    const found = id.success ? await findInstance(client, id.data) : undefined;
    if (found === undefined) return problem(404, "job-not-found", "There is no such job, or its history was purged.");

    const changed = await deps.steer(client, found);
    const now = (await findInstance(client, found.instanceId)) ?? found;
    if (changed > 0) return json(202, jobOf(now), { location: `/api/jobs/${found.instanceId}` });
    return problem(409, "job-state", `The job is ${stateOf(now)}, which does not allow this.`, { state: stateOf(now) });
  };
