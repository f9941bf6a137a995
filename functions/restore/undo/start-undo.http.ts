import type { HttpResponseInit } from "@azure/functions";
import type { DurableOrchestrationStatus } from "durable-functions";
import * as z from "zod";
import type { AuditLog } from "../../../shared/audit/audit-log.ts";
import { auditOrRefuse } from "../../../shared/audit/audit-or-refuse.ts";
import { restoreInstance, undoInstance } from "../../../shared/contracts/job-ids.ts";
import type { ClientOf } from "../../../shared/durable/client.ts";
import { jobState } from "../../../shared/durable/job-status.ts";
import { findInstance, isAlive, startUnlessKnown } from "../../../shared/durable/start-once.ts";
import { accepted } from "../../../shared/http/accepted.ts";
import { readBody } from "../../../shared/http/body.ts";
import { refuseRole, type SignedInHandler } from "../../../shared/http/guard.ts";
import { invalidRequest, problemResponse } from "../../../shared/http/problem.ts";
import { newStart, startedId } from "../../../shared/http/start.ts";
import type { Blobs } from "../../../shared/storage/blobs.ts";
import { missingRole } from "../request/resolve-restore.ts";
import { Reason } from "../request/restore-request.ts";
import { RestoreOrder } from "../restore.contract.ts";
import { findRestorePlan } from "../restore-state.ts";
import { DELETE_ITEMS } from "./needed-right.ts";
import type { UndoRestoreInput } from "./undo.contract.ts";
import { claimUndo, giveClaimBack } from "./undo-claim.ts";

const UndoRequest = z.strictObject({ reason: Reason, dryRun: z.boolean().default(false) });

/**
 * POST /api/restores/{id}/undo
 *
 * 202 with the job's `Location`, and with what to grant where items are to be deleted and the app may not. 400 for a
 * body that does not parse. 403 when the role for another mailbox is missing. 404 for a restore that does not exist.
 * 409 for a dry run, for a restore that has not ended, and while another undo of it runs. 410 when it is not known any
 * more what it imported. 503 when the audit log cannot be written: nothing starts without it.
 */
export const startUndo =
  (deps: {
    readonly clientOf: ClientOf;
    readonly work: Blobs;
    readonly audit: AuditLog;
    readonly laneBudgetMs: number;
    readonly mayDeleteItems: boolean;
  }): SignedInHandler =>
  async (request, context, principal, start = newStart()) => {
    const body = UndoRequest.safeParse(await readBody(request));
    if (!body.success) return invalidRequest(body.error);
    const { work, audit, laneBudgetMs, mayDeleteItems } = deps;
    const client = deps.clientOf(context);
    const restore = request.params["id"] ?? "";
    const restoreId = restoreInstance.parse(restore)?.[0];
    const found = restoreId === undefined ? undefined : await findInstance(client, restore, { showInput: true });
    const order = found && orderOf(found);
    if (restoreId === undefined || found === undefined || order === undefined) return NOT_FOUND;

    const { mailbox, into = mailbox, target } = order;
    const missing = missingRole(principal, { source: mailbox.key, target: into.key });
    if (missing !== undefined) return refuseRole(missing);
    const undoId = startedId(start);
    const job = undoInstance(undoId);
    const needs = mayDeleteItems || target === "new-folder" ? {} : { needs: DELETE_ITEMS };
    const answer = () => accepted(job, { restore, mailbox: into.key, ...needs });
    if (start.hasKey && (await findInstance(client, job))) return answer();

    if (order.dryRun) return problemResponse(409, "nothing-to-undo", "A dry run imports nothing.");
    if (isAlive(found)) return notEnded(found);
    const plan = await findRestorePlan(work, restoreId);
    if (plan === undefined) return EXPIRED;
    const claim = { work, client, restoreId, undoId };
    const claimed = await claimUndo(claim);
    if (claimed !== undoId) return running(undoInstance(claimed));

    const { dryRun, reason } = body.data;
    const refused = await auditOrRefuse(audit, context, "restores", [
      {
        event: "undo-requested",
        at: new Date().toISOString(),
        principal: principal.id,
        job,
        restore,
        mailbox: mailbox.key,
        ...(into.key === mailbox.key ? {} : { into: into.key }),
        dryRun,
        reason,
      },
    ]);
    if (refused !== undefined) {
      await giveClaimBack(claim);
      return refused;
    }
    const input: UndoRestoreInput = {
      undoId,
      restoreId,
      mailbox: into,
      dryRun,
      ownFolder: target === "new-folder",
      chunks: plan.chunks,
      laneBudgetMs,
    };
    await startUnlessKnown(client, "undo-restore", { instanceId: job, input });
    return answer();
  };

/** What a restore was asked to do; `undefined` for a job of another kind. */
const orderOf = ({ name, input }: DurableOrchestrationStatus) =>
  name === "restore-mailbox" ? RestoreOrder.safeParse(input).data : undefined;

const NOT_FOUND = problemResponse(
  404,
  "restore-not-found",
  "There is no such restore, or its history was purged. Of a list, each restore is undone by itself.",
);

const EXPIRED = problemResponse(
  410,
  "restore-expired",
  "It is not known any more what the restore imported, or it ended before it had a plan: there is nothing to undo.",
);

const notEnded = (job: DurableOrchestrationStatus): HttpResponseInit =>
  problemResponse(409, "restore-not-ended", "The restore has not ended: wait for it, or cancel it.", {
    state: jobState(job),
  });

const running = (job: string): HttpResponseInit =>
  problemResponse(409, "undo-running", "Another undo of the restore runs: see its job.", {
    job,
    location: `/api/jobs/${job}`,
  });
