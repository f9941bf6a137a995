import type { HttpResponseInit } from "@azure/functions";
import type { DurableOrchestrationStatus } from "durable-functions";
import { auditOrRefuse } from "../../../shared/audit/audit-or-refuse.ts";
import type { RunId } from "../../../shared/contracts/ids.ts";
import { restoreInstance } from "../../../shared/contracts/job-ids.ts";
import { findInstance, startOnce } from "../../../shared/durable/start-once.ts";
import { accepted } from "../../../shared/http/accepted.ts";
import { refuseRole } from "../../../shared/http/guard.ts";
import { problemResponse } from "../../../shared/http/problem.ts";
import { startedId } from "../../../shared/http/start.ts";
import type { Blobs } from "../../../shared/storage/blobs.ts";
import { manifestName } from "../../../shared/vault/names.ts";
import { RestoreOrder } from "../restore.contract.ts";
import { claimRestorePlan, findRestorePlan } from "../restore-state.ts";
import { giveBack, takeOrRefuse } from "../target/take-or-refuse.ts";
import { missingRole } from "./resolve-restore.ts";
import { auditedRestore } from "./restore-audit.ts";
import type { PlannedRestoreRequest } from "./restore-request.ts";
import type { StartDeps } from "./start-deps.ts";

/** How old a plan may be: the mailbox goes on changing, and scratch data does not last for ever. */
const MAX_PLAN_AGE_MS = 3 * 24 * 3_600_000;

/**
 * Starts the restore that carries out the plan of a dry run, once. A second call finds the first call's claim, and
 * starts that restore only when the first call did not.
 */
export const startPlannedRestore = async (
  { client, context, principal, audit, work, state, vault, start }: StartDeps & { readonly vault: Blobs },
  { plan, reason, whenBusy }: PlannedRestoreRequest,
): Promise<HttpResponseInit> => {
  const job = await findInstance(client, plan, { showInput: true });
  if (job === undefined)
    return problemResponse(404, "plan-not-found", "There is no such job, or its history was purged.");
  const dryRun = dryRunOf(job);
  if (dryRun === undefined) return problemResponse(409, "no-plan", "The job is not a dry run that has completed.");
  const { mailbox, into = mailbox, snapshotId, target, onConflict = "skip" } = dryRun;
  const missing = missingRole(principal, { source: mailbox.key, target: into.key });
  if (missing !== undefined) return refuseRole(missing);
  if (!(await isFresh(work, dryRun.restoreId)))
    return problemResponse(410, "plan-expired", "The plan is too old to be carried out: make another dry run.");
  if ((await vault.info(manifestName(mailbox.key, snapshotId))) === undefined)
    return problemResponse(
      410,
      "snapshot-removed",
      "The plan's snapshot is not kept any more: make a dry run of another one.",
    );

  const now = new Date();
  const restoreId = await claimRestorePlan(work, dryRun.restoreId, startedId(start));
  const instanceId = restoreInstance(restoreId);
  const input: RestoreOrder = { ...dryRun, restoreId, dryRun: false, planOf: dryRun.restoreId, exclusive: true };
  const isOwn = start.hasKey && restoreId === startedId(start);
  const answer = () => accepted(instanceId, { mailbox: mailbox.key, snapshot: snapshotId });
  if (await findInstance(client, instanceId)) return isOwn ? answer() : carriedOut(instanceId);
  const place = { work, state, client, mailboxKey: into.key, restoreId };
  const busy = whenBusy === "refuse" ? await takeOrRefuse(place) : undefined;
  if (busy !== undefined) return busy;
  const audited = { kind: "plan", ids: [plan] };
  const refused = await auditOrRefuse(audit, context, "restores", [
    {
      ...auditedRestore({ mailbox, into, snapshotId, audited, target, onConflict }),
      at: now.toISOString(),
      principal: principal.id,
      job: instanceId,
      dryRun: false,
      reason,
    },
  ]);
  if (refused !== undefined) return giveBack(place, refused);
  const outcome = await startOnce(client, "restore-mailbox", { instanceId, input });
  return outcome === "started" || isOwn ? answer() : carriedOut(instanceId);
};

/** The input of a dry run that has completed; `undefined` for any other job. */
const dryRunOf = ({ name, runtimeStatus, input }: DurableOrchestrationStatus): RestoreOrder | undefined => {
  if (name !== "restore-mailbox" || String(runtimeStatus) !== "Completed") return undefined;
  const parsed = RestoreOrder.safeParse(input);
  return parsed.success && parsed.data.dryRun ? parsed.data : undefined;
};

const isFresh = async (work: Blobs, restoreId: RunId): Promise<boolean> => {
  const plan = await findRestorePlan(work, restoreId);
  return plan !== undefined && Date.now() < Date.parse(plan.started) + MAX_PLAN_AGE_MS;
};

const carriedOut = (job: string): HttpResponseInit =>
  problemResponse(409, "plan-carried-out", "The plan is, or was, carried out by another job: see that job.", {
    job,
    location: `/api/jobs/${job}`,
  });
