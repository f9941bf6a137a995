import type { HttpHandler } from "@azure/functions";
import * as z from "zod";
import { auditOrRefuse } from "../../shared/audit/audit-or-refuse.ts";
import { bodyOf } from "../../shared/http/input.ts";
import { json } from "../../shared/http/problem.ts";
import type { Hold } from "../../shared/vault/head.ts";
import { moveHead } from "../../shared/vault/snapshots.ts";
import { type HoldDeps, heldMailboxRoute } from "./held-mailbox.ts";

const Request = z.strictObject({
  /** The operator's own words. */
  reason: z.string().trim().min(1).max(500),
  /** When the hold ends; without it, only when it is released. */
  until: z.iso
    .datetime({ offset: true })
    .refine((until) => Date.parse(until) > Date.now(), { error: "should be in the future" })
    .transform((until) => new Date(until).toISOString())
    .optional(),
});

/**
 * PUT /api/mailboxes/{mailbox}/hold
 *
 * 200 with the hold: from now on nothing of the mailbox is removed. It replaces an earlier hold. 400 for a body that
 * does not parse; 404 for a mailbox that does not exist; 409 for one that was never backed up; 503 when the audit log
 * cannot be written: then nothing changes.
 */
export const setHold = (deps: HoldDeps): HttpHandler =>
  heldMailboxRoute(deps, bodyOf(Request), async (head, { input: { reason, until }, context, principal }) => {
    const at = new Date().toISOString();
    const mailbox = head.mailboxKey;
    const end = until === undefined ? {} : { until };
    const change = { event: "hold-set" as const, at, principal: principal.id, mailbox, reason, ...end };
    const refused = await auditOrRefuse(deps.audit, context, "vault", [change]);
    if (refused !== undefined) return refused;
    const hold: Hold = { since: at, reason, ...end };
    await moveHead(deps.vault, mailbox, (current) => ({ ...(current ?? head), hold }));
    return json(200, { mailbox, hold });
  });
