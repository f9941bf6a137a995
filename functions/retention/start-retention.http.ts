import type { HttpHandler, HttpResponseInit, InvocationContext } from "@azure/functions";
import * as z from "zod";
import type { AuditLog } from "../../shared/audit/audit-log.ts";
import { auditOrRefuse } from "../../shared/audit/audit-or-refuse.ts";
import { runStart } from "../../shared/contracts/ids.ts";
import { cleanInstance } from "../../shared/contracts/job-ids.ts";
import type { MailboxRef } from "../../shared/contracts/mailbox.ts";
import type { ClientOf } from "../../shared/durable/client.ts";
import { startOnceFor } from "../../shared/durable/start-once.ts";
import { accepted } from "../../shared/http/accepted.ts";
import { bodyOf } from "../../shared/http/input.ts";
import { json, problemResponse } from "../../shared/http/problem.ts";
import { type MailboxSource, mailboxRoute } from "../../shared/mailbox-route.ts";
import { RetentionPolicy } from "../../shared/retention-policy.ts";
import type { Blobs } from "../../shared/storage/blobs.ts";
import { planForget } from "./forget-plan.ts";
import type { CleanMailboxInput } from "./retention.contract.ts";
import { snapshotsInUse } from "./snapshots-in-use.ts";

const Request = z
  .strictObject({
    dryRun: z.boolean().default(true),
    /** Tried instead of the setting. */
    policy: RetentionPolicy.optional(),
  })
  .refine(({ dryRun, policy }) => dryRun || policy === undefined, {
    path: ["policy"],
    error: "is for a dry run only: a removal goes by the setting RETENTION",
  });

/**
 * POST /api/mailboxes/{mailbox}/retention
 *
 * 200 with the reasons to keep each snapshot, by the setting or by a policy to try; one without a reason expires. With
 * `dryRun` false, 202 with the `Location` of the job that forgets and prunes; blobs go in two cycles at least a day
 * apart. 400 for a body that does not parse; 404 for a mailbox that does not exist; 409 when there is no policy, or the
 * mailbox is being cleaned up; 503 when the audit log cannot be written: then nothing starts.
 */
export const startRetention = (
  deps: MailboxSource & {
    readonly clientOf: ClientOf;
    readonly audit: AuditLog;
    readonly policy: RetentionPolicy | undefined;
  },
): HttpHandler =>
  mailboxRoute(deps, bodyOf(Request), async (mailbox, { input, context, principal, start }) => {
    const policy = input.policy ?? deps.policy;
    if (policy === undefined)
      return problemResponse(
        409,
        "no-retention",
        "The setting RETENTION is missing, so nothing is ever removed: set it, or give a dry run a policy to try.",
      );
    if (input.dryRun) return dryRun(deps, context, mailbox, policy);

    const job = cleanInstance(mailbox.key);
    const refused = await auditOrRefuse(deps.audit, context, "vault", [
      { event: "retention-requested", at: new Date().toISOString(), principal: principal.id, mailbox: mailbox.key },
    ]);
    if (refused !== undefined) return refused;
    const cleaning: CleanMailboxInput = { mailboxKey: mailbox.key };
    const options = { instanceId: job, input: cleaning };
    const outcome = await startOnceFor(start, deps.clientOf(context), "clean-mailbox", options);
    if (outcome === "started") return accepted(job);
    return problemResponse(409, "retention-running", "The mailbox is being cleaned up already: look at its job.", {
      job,
      location: `/api/jobs/${job}`,
    });
  });

const dryRun = async (
  { vault, clientOf }: { readonly vault: Blobs; readonly clientOf: ClientOf },
  context: InvocationContext,
  { key }: MailboxRef,
  policy: RetentionPolicy,
): Promise<HttpResponseInit> => {
  const inUse = () => snapshotsInUse(clientOf(context));
  const { hold, snapshots } = await planForget(vault, key, policy, Date.now(), inUse);
  const expiring = snapshots.filter(({ reasons }) => reasons.length === 0).length;
  return json(200, {
    mailbox: key,
    policy: policy.text,
    hold,
    stay: snapshots.length - expiring,
    go: expiring,
    snapshots: snapshots.map(({ id, reasons }) => ({
      id,
      started: runStart(id).toISOString(),
      stays: reasons.length > 0,
      reasons,
    })),
  });
};
