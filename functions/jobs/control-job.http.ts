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
import { isLost } from "./open-jobs.ts";
import { asGoingOn, type ProgressReaders, progressOf } from "./progress.ts";
import { tellJob } from "./tell-job.ts";
import type { Wish } from "./wish.contract.ts";
import { findWish } from "./wishes.ts";

/** What people order, and what a job is told then. */
const ORDERS = { pause: "pause", resume: "go-on", cancel: "cancel" } as const satisfies Readonly<Record<string, Wish>>;

/** Begins a job anew that has ended before its work was done; a problem when there is nothing to go on with. */
export type Restart = (client: DurableClient, job: DurableOrchestrationStatus) => Promise<Problem | undefined>;

/** How jobs are begun anew, by their kinds. */
export type Restarts = Readonly<Partial<Record<Orchestrator, Restart>>>;

/**
 * POST /api/jobs/{id}/pause, /resume and /cancel
 *
 * 202 with the job at once, and with what it was told (`pausing`, `resuming`, `stopping`): it heeds that by itself,
 * and so do its parts. Told again, it is told the same. 403 for a caller without a role that starts such jobs; 404 for
 * a job that does not exist; 409 with the job's state when there is nothing to pause, resume or cancel.
 */
export const controlJob =
  (deps: {
    readonly clientOf: ClientOf;
    readonly state: Blobs;
    readonly order: keyof typeof ORDERS;
    readonly progress: ProgressReaders;
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

    if (isAlive(found)) return tell({ ...deps, client }, found, deps.order);
    if (await isLost(deps.state, found)) return tell({ ...deps, client }, asGoingOn(found), deps.order);
    const restart = (deps.restarts as Readonly<Record<string, Restart | undefined>>)[found.name];
    if (deps.order !== "resume" || restart === undefined) return refuseState(found);
    const refusal = await restart(client, found);
    return refusal === undefined
      ? changed((await findInstance(client, found.instanceId)) ?? found)
      : respondWith(refusal);
  };

const tell = async (
  deps: { readonly client: DurableClient; readonly state: Blobs; readonly progress: ProgressReaders },
  found: DurableOrchestrationStatus,
  order: keyof typeof ORDERS,
): Promise<HttpResponseInit> => {
  const before = await findWish(deps.state, found.instanceId);
  if (order === "resume" && before === undefined && jobState(found) !== "paused") return refuseState(found);
  if (order !== "cancel" && before?.wish === "cancel") return refuseState(found, "cancel");
  const progress = await progressOf(deps.progress, deps.client, found);
  return changed(found, await tellJob(deps, found, ORDERS[order]), progress);
};

const changed = (job: DurableOrchestrationStatus, told?: Wish, progress?: unknown): HttpResponseInit =>
  json(202, jobOf(job, told, progress), { location: `/api/jobs/${job.instanceId}` });

const refuseState = (job: DurableOrchestrationStatus, told?: Wish): HttpResponseInit => {
  const state = jobState(job, told);
  return problemResponse(409, "job-state", `The job is ${state}, which does not allow this.`, { state });
};
