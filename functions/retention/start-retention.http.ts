import type { HttpResponseInit, InvocationContext } from "@azure/functions";
import * as z from "zod";
import type { VaultAuditLog } from "../../shared/audit/audit-log.ts";
import { cleanInstance, runStart } from "../../shared/contracts/ids.ts";
import type { MailboxRef } from "../../shared/contracts/mailbox.ts";
import type { ClientOf } from "../../shared/durable/client.ts";
import { startOnce } from "../../shared/durable/start-once.ts";
import type { OpenGraph } from "../../shared/graph/graph-client.ts";
import { accepted } from "../../shared/http/accepted.ts";
import { readBody } from "../../shared/http/body.ts";
import type { SignedInHandler } from "../../shared/http/guard.ts";
import { invalidRequest, json, problem } from "../../shared/http/problem.ts";
import { findMailbox } from "../../shared/mailboxes.ts";
import { RetentionPolicy } from "../../shared/retention-policy.ts";
import type { Blobs } from "../../shared/storage/blobs.ts";
import { auditChange } from "../follow-up/audit-change.ts";
import type { CleanMailboxInput } from "./retention.contract.ts";
import { planRetention } from "./retention-plan.ts";
import { snapshotsInUse } from "./snapshots-in-use.ts";

/** How long a caller is kept waiting for the directory. */
const PATIENCE_MS = 10_000;

const Request = z
  .strictObject({
    dryRun: z.boolean().default(true),
    /** Tried instead of the setting. */
    policy: RetentionPolicy.optional(),
  })
  .refine(({ dryRun, policy }) => dryRun || policy === undefined, {
    path: ["policy"],
    error: "is for a dry run only: what is removed is what the setting RETENTION says",
  });

/**
 * POST /api/mailboxes/{mailbox}/retention
 *
 * 200 with why each snapshot stays, or that it goes, under the setting or a policy to try; without `dryRun`, 202 with
 * the `Location` of the job that removes what goes, in two cycles at least a day apart. 400 for a body that does not
 * parse; 404 for a mailbox that does not exist; 409 when there is no policy, or the mailbox is being cleaned up; 503
 * when the audit log cannot be written, without which nothing starts.
 */
export const startRetention =
  (deps: {
    readonly clientOf: ClientOf;
    readonly openGraph: OpenGraph;
    readonly vault: Blobs;
    readonly audit: VaultAuditLog;
    readonly policy: RetentionPolicy | undefined;
  }): SignedInHandler =>
  async (request, context, principal) => {
    const body = Request.safeParse(await readBody(request));
    if (!body.success) return invalidRequest(body.error);
    const policy = body.data.policy ?? deps.policy;
    if (policy === undefined)
      return problem(
        409,
        "no-retention",
        "Nothing is ever removed, as the setting RETENTION is not there: set it, or give a dry run a policy to try.",
      );

    const graph = deps.openGraph({ untilMs: Date.now() + PATIENCE_MS });
    const mailbox = await findMailbox(graph, deps.vault, request.params["mailbox"] ?? "");
    if (mailbox === undefined) return problem(404, "mailbox-not-found", "There is no such mailbox.");
    if (body.data.dryRun) return dryRun(deps, context, mailbox, policy);

    const job = cleanInstance(mailbox.key);
    const at = new Date().toISOString();
    const refused = await auditChange(deps.audit, context, {
      event: "retention-requested",
      at,
      principal: principal.id,
      mailbox: mailbox.key,
    });
    if (refused !== undefined) return refused;
    const input: CleanMailboxInput = { mailboxKey: mailbox.key };
    const outcome = await startOnce(deps.clientOf(context), "clean-mailbox", { instanceId: job, input });
    if (outcome === "started") return accepted(job);
    return problem(409, "retention-running", "The mailbox is being cleaned up already: look at its job.", {
      job,
      location: `/api/jobs/${job}`,
    });
  };

const dryRun = async (
  { vault, clientOf }: { readonly vault: Blobs; readonly clientOf: ClientOf },
  context: InvocationContext,
  { key }: MailboxRef,
  policy: RetentionPolicy,
): Promise<HttpResponseInit> => {
  const inUse = () => snapshotsInUse(clientOf(context));
  const { hold, snapshots } = await planRetention(vault, key, policy, Date.now(), inUse);
  const go = snapshots.filter(({ reasons }) => reasons.length === 0).length;
  return json(200, {
    mailbox: key,
    policy: policy.text,
    hold,
    stay: snapshots.length - go,
    go,
    snapshots: snapshots.map(({ id, reasons }) => ({
      id,
      started: runStart(id).toISOString(),
      stays: reasons.length > 0,
      reasons,
    })),
  });
};
