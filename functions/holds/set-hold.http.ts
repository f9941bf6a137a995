import * as z from "zod";
import { readBody } from "../../shared/http/body.ts";
import type { SignedInHandler } from "../../shared/http/guard.ts";
import { invalidRequest, json } from "../../shared/http/problem.ts";
import type { Hold } from "../../shared/vault/head.ts";
import { moveHead } from "../../shared/vault/snapshots.ts";
import { auditChange } from "../follow-up/audit-change.ts";
import { type HoldDeps, heldMailbox, isHead } from "./held-mailbox.ts";

const Request = z.strictObject({
  /** The operator's own words. */
  reason: z.string().trim().min(1).max(500),
  /** When the hold ends; never by itself when absent. */
  until: z.iso
    .datetime({ offset: true })
    .refine((until) => Date.parse(until) > Date.now(), { error: "should be in the future" })
    .transform((until) => new Date(until).toISOString())
    .optional(),
});

/**
 * PUT /api/mailboxes/{mailbox}/hold
 *
 * 200 with the hold, which from now on keeps everything of the mailbox from being removed and stands in place of
 * another one; 400 for a body that does not parse; 404 for a mailbox that does not exist; 409 for one that was never
 * backed up; 503 when the audit log cannot be written, without which nothing changes.
 */
export const setHold =
  (deps: HoldDeps): SignedInHandler =>
  async (request, context, principal) => {
    const body = Request.safeParse(await readBody(request));
    if (!body.success) return invalidRequest(body.error);
    const head = await heldMailbox(deps, request);
    if (!isHead(head)) return head;

    const at = new Date().toISOString();
    const { reason, until } = body.data;
    const hold: Hold = { since: at, reason, ...(until === undefined ? {} : { until }) };
    const change = { event: "hold-set" as const, at, principal: principal.id, mailbox: head.mailboxKey };
    const refused = await auditChange(deps.audit, context, {
      ...change,
      reason,
      ...(until === undefined ? {} : { until }),
    });
    if (refused !== undefined) return refused;
    await moveHead(deps.vault, head.mailboxKey, (current) => ({ ...(current ?? head), hold }));
    return json(200, { mailbox: head.mailboxKey, hold });
  };
