import type { HttpHandler } from "@azure/functions";
import { JobId } from "../../shared/contracts/job-ids.ts";
import type { ClientOf } from "../../shared/durable/client.ts";
import { jobOf } from "../../shared/durable/job-status.ts";
import { findInstance, isAlive } from "../../shared/durable/start-once.ts";
import { json, problemResponse } from "../../shared/http/problem.ts";
import type { Blobs } from "../../shared/storage/blobs.ts";
import { findContinuations, isLost } from "./open-jobs.ts";
import { asGoingOn, type ProgressReaders, progressOf } from "./progress.ts";
import { findWish } from "./wishes.ts";

/** A caller who polls faster than this learns nothing new. */
const RETRY_AFTER_SECONDS = "2";

/**
 * GET /api/jobs/{id}
 *
 * 200 with the job's state, its progress and, at its end, its result or error, and when it was gone on with after the
 * task hub had lost it; 404 for a job that does not exist. Never
 * shows the instance's input, or the management URLs of the durable extension.
 */
export const getJob =
  (deps: { readonly clientOf: ClientOf; readonly state: Blobs; readonly progress: ProgressReaders }): HttpHandler =>
  async (request, context) => {
    const id = JobId.safeParse(request.params["id"]);
    const client = deps.clientOf(context);
    const found = id.success ? await findInstance(client, id.data) : undefined;
    if (found === undefined)
      return problemResponse(404, "job-not-found", "There is no such job, or its history was purged.");
    const status = (await isLost(deps.state, found)) ? asGoingOn(found) : found;
    const told = await findWish(deps.state, status.instanceId);
    const continuations = await findContinuations(deps.state, status.instanceId);
    const progress = await progressOf(deps.progress, client, status);
    const job = jobOf(status, told?.wish, progress);
    const isOpen = isAlive(status) && job.state !== "paused";
    const shown = continuations.length === 0 ? job : { ...job, continuations };
    return json(200, shown, isOpen ? { "retry-after": RETRY_AFTER_SECONDS } : {});
  };
