import { JobId } from "../../shared/contracts/job-ids.ts";
import type { ClientOf } from "../../shared/durable/client.ts";
import { jobOf, jobState } from "../../shared/durable/job-status.ts";
import { findInstance } from "../../shared/durable/start-once.ts";
import { refuseRole, type SignedInHandler } from "../../shared/http/guard.ts";
import { json, problemResponse } from "../../shared/http/problem.ts";
import { jobKind } from "../jobs.ts";
import type { JobOperation } from "./control-job.ts";

/**
 * POST /api/jobs/{id}/pause, /resume and /cancel
 *
 * 202 with the job, when it and its parts were changed; 403 for a caller without a role that starts such jobs; 404 for
 * a job that does not exist; 409 with the job's state when there is nothing to pause, resume or cancel.
 */
export const controlJob =
  (deps: { readonly clientOf: ClientOf; readonly operate: JobOperation }): SignedInHandler =>
  async (request, context, principal) => {
    const id = JobId.safeParse(request.params["id"]);
    const client = deps.clientOf(context);
    const found = id.success ? await findInstance(client, id.data) : undefined;
    if (found === undefined)
      return problemResponse(404, "job-not-found", "There is no such job, or its history was purged.");
    const owners = jobKind(found.name)?.owners;
    if (owners === undefined) throw new Error(`${found.name}: no role is known that may control it`);
    if (!owners.some((role) => principal.roles.includes(role))) return refuseRole(...owners);

    const changed = await deps.operate(client, found);
    const now = (await findInstance(client, found.instanceId)) ?? found;
    if (changed > 0) return json(202, jobOf(now), { location: `/api/jobs/${found.instanceId}` });
    return problemResponse(409, "job-state", `The job is ${jobState(now)}, which does not allow this.`, {
      state: jobState(now),
    });
  };
