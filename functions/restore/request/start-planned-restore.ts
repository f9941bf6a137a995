import { randomUUID } from "node:crypto";
import type { HttpResponseInit } from "@azure/functions";
import type { DurableOrchestrationStatus } from "durable-functions";
import { auditOrRefuse } from "../../../shared/audit/audit-or-refuse.ts";
import { type RunId, runId } from "../../../shared/contracts/ids.ts";
import { restoreInstance } from "../../../shared/contracts/job-ids.ts";
import { findInstance, startOnce } from "../../../shared/durable/start-once.ts";
import { accepted } from "../../../shared/http/accepted.ts";
import { refuseRole } from "../../../shared/http/guard.ts";
import { problemResponse } from "../../../shared/http/problem.ts";
import type { Blobs } from "../../../shared/storage/blobs.ts";
import { manifestName } from "../../../shared/vault/names.ts";
import { RestoreMailboxInput } from "../restore.contract.ts";
import { claimRestorePlan, findRestorePlan } from "../restore-state.ts";
import { missingRole } from "./cross-mailbox.ts";
import type { PlannedRestoreRequest } from "./restore-request.ts";
import type { StartDeps } from "./start-deps.ts";

/** How old a plan may be: scratch data lives for 7 days, and the restore reads the plan's chunks until its end. */
const PLAN_LASTS_MS = 3 * 24 * 3_600_000;

/**
 * Starts the restore that carries out the plan of a dry run, once: a second call finds the first one's claim, and starts
 * its restore only if that call never got so far.
 */
export const startPlannedRestore = async (
  { client, context, principal, audit, work, vault }: StartDeps & { readonly vault: Blobs },
  { plan, reason }: PlannedRestoreRequest,
): Promise<HttpResponseInit> => {
  const job = await findInstance(client, plan, { showInput: true });
  if (job === undefined)
    return problemResponse(404, "plan-not-found", "There is no such job, or its history was purged.");
  const order = orderOf(job);
  if (order === undefined) return problemResponse(409, "no-plan", "The job is not a dry run that has completed.");
  const { mailbox, into = mailbox } = order;
  const lacked = missingRole(principal, { source: mailbox.key, target: into.key });
  if (lacked !== undefined) return refuseRole(lacked);
  if (!(await isFresh(work, order.restoreId)))
    return problemResponse(410, "plan-expired", "The plan is too old to be carried out: make another dry run.");
  if ((await vault.info(manifestName(mailbox.key, order.snapshotId))) === undefined)
    return problemResponse(
      410,
      "snapshot-removed",
      "The plan's snapshot is not kept any more: make a dry run of another one.",
    );

  const now = new Date();
  const restoreId = await claimRestorePlan(work, order.restoreId, runId(now, randomUUID()));
  const instanceId = restoreInstance(restoreId);
  const input: RestoreMailboxInput = { ...order, restoreId, dryRun: false, planOf: order.restoreId };
  if (await findInstance(client, instanceId)) return carriedOut(instanceId);
  const refused = await auditOrRefuse(audit, context, "restores", [
    {
      event: "restore-requested",
      at: now.toISOString(),
      principal: principal.id,
      job: instanceId,
      mailbox: mailbox.key,
      ...(into.key === mailbox.key ? {} : { into: into.key }),
      snapshot: order.snapshotId,
      selection: { kind: "plan", ids: [plan] },
      target: order.target,
      onConflict: order.onConflict ?? "skip",
      dryRun: false,
      reason,
    },
  ]);
  if (refused !== undefined) return refused;
  const outcome = await startOnce(client, "restore-mailbox", { instanceId, input });
  if (outcome === "already-running") return carriedOut(instanceId);
  return accepted(instanceId, { mailbox: mailbox.key, snapshot: order.snapshotId });
};

/** What a dry run was asked for, if it has completed. */
const orderOf = ({
  name,
  runtimeStatus,
  input,
}: DurableOrchestrationStatus): Omit<RestoreMailboxInput, "resume"> | undefined => {
  if (name !== "restore-mailbox" || String(runtimeStatus) !== "Completed") return undefined;
  const order = RestoreMailboxInput.omit({ resume: true }).safeParse(input);
  return order.success && order.data.dryRun ? order.data : undefined;
};

const isFresh = async (work: Blobs, restoreId: RunId): Promise<boolean> => {
  const plan = await findRestorePlan(work, restoreId);
  return plan !== undefined && Date.now() < Date.parse(plan.started) + PLAN_LASTS_MS;
};

const carriedOut = (job: string): HttpResponseInit =>
  problemResponse(409, "plan-carried-out", "The plan is, or was, carried out by another job: look at that.", {
    job,
    location: `/api/jobs/${job}`,
  });
