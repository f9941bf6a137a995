import type { HttpResponseInit } from "@azure/functions";
import type { DurableClient, DurableOrchestrationStatus } from "durable-functions";
import { JobId } from "../../shared/contracts/job-ids.ts";
import type { ClientOf } from "../../shared/durable/client.ts";
import { jobOf, jobState } from "../../shared/durable/job-status.ts";
import { findInstance, isAlive } from "../../shared/durable/start-once.ts";
import { refuseRole, type SignedInHandler } from "../../shared/http/guard.ts";
import { json, type Problem, problemResponse, respondWith } from "../../shared/http/problem.ts";
import type { Blobs } from "../../shared/storage/blobs.ts";
import { jobKind, type Orchestrator } from "../jobs.ts";
import { cancelJob, type JobOperation, pauseJob, resumeJob } from "./control-job.ts";
import { tellJob } from "./tell-job.ts";
import type { Wish } from "./wish.contract.ts";
import { findWish } from "./wishes.ts";

/** What people order, what a job is told then, and what the task hub does with one that heeds nothing. */
const ORDERS = {
  pause: { wish: "pause", operate: pauseJob },
  resume: { wish: "go-on", operate: resumeJob },
  cancel: { wish: "cancel", operate: cancelJob },
} as const satisfies Readonly<Record<string, { readonly wish: Wish; readonly operate: JobOperation }>>;

/** Begins a job anew that has ended before its work was done; a problem when there is nothing to go on with. */
export type Restart = (client: DurableClient, job: DurableOrchestrationStatus) => Promise<Problem | undefined>;

/** How jobs are begun anew, by their kinds. */
export type Restarts = Readonly<Partial<Record<Orchestrator, Restart>>>;

/**
 * POST /api/jobs/{id}/pause, /resume and /cancel
 *
 * 202 with the job: at once, with what it was told (`pausing`, `resuming`, `stopping`), for a job that heeds that by
 * itself; when it and its parts were changed, for others. Told again, it is told the same. 403 for a caller without a
 * role that starts such jobs; 404 for a job that does not exist; 409 with the job's state when there is nothing to
 * pause, resume or cancel.
 */
export const controlJob =
  (deps: {
    readonly clientOf: ClientOf;
    readonly state: Blobs;
    readonly order: keyof typeof ORDERS;
    readonly restarts: Restarts;
  }): SignedInHandler =>
  async (request, context, principal) => {
    const id = JobId.safeParse(request.params["id"]);
    const client = deps.clientOf(context);
    const found = id.success ? await findInstance(client, id.data) : undefined;
    if (found === undefined)
      return problemResponse(404, "job-not-found", "There is no such job, or its history was purged.");
    const kind = jobKind(found.name);
    if (kind === undefined) throw new Error(`${found.name}: no role is known that may control it`);
    if (!kind.owners.some((role) => principal.roles.includes(role))) return refuseRole(...kind.owners);

    if (kind.heeds !== true) return operate(client, found, ORDERS[deps.order].operate);
    if (isAlive(found)) return tell({ ...deps, client }, found, deps.order);
    const restart = (deps.restarts as Readonly<Record<string, Restart | undefined>>)[found.name];
    if (deps.order !== "resume" || restart === undefined) return refuseState(found);
    const refusal = await restart(client, found);
    return refusal === undefined
      ? changed((await findInstance(client, found.instanceId)) ?? found)
      : respondWith(refusal);
  };

const operate = async (
  client: DurableClient,
  found: DurableOrchestrationStatus,
  operation: JobOperation,
): Promise<HttpResponseInit> => {
  const hasChanged = (await operation(client, found)) > 0;
  const now = (await findInstance(client, found.instanceId)) ?? found;
  return hasChanged ? changed(now) : refuseState(now);
};

const tell = async (
  deps: { readonly client: DurableClient; readonly state: Blobs },
  found: DurableOrchestrationStatus,
  order: keyof typeof ORDERS,
): Promise<HttpResponseInit> => {
  const before = await findWish(deps.state, found.instanceId);
  if (order === "resume" && before === undefined) return refuseState(found);
  if (order !== "cancel" && before?.wish === "cancel") return refuseState(found, "cancel");
  return changed(found, await tellJob(deps, found, ORDERS[order].wish));
};

const changed = (job: DurableOrchestrationStatus, told?: Wish): HttpResponseInit =>
  json(202, jobOf(job, told), { location: `/api/jobs/${job.instanceId}` });

const refuseState = (job: DurableOrchestrationStatus, told?: Wish): HttpResponseInit => {
  const state = jobState(job, told);
  return problemResponse(409, "job-state", `The job is ${state}, which does not allow this.`, { state });
};
