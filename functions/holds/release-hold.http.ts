import type { SignedInHandler } from "../../shared/http/guard.ts";
import { json, problem } from "../../shared/http/problem.ts";
import { moveHead } from "../../shared/vault/snapshots.ts";
import { auditChange } from "../follow-up/audit-change.ts";
import { type HoldDeps, heldMailbox, isHead } from "./held-mailbox.ts";

/**
 * DELETE /api/mailboxes/{mailbox}/hold
 *
 * 200 when the mailbox is on hold no more; 404 for a mailbox that does not exist, or is not on hold; 409 for one that
 * was never backed up; 503 when the audit log cannot be written, without which nothing changes.
 */
export const releaseHold =
  (deps: HoldDeps): SignedInHandler =>
  async (request, context, principal) => {
    const head = await heldMailbox(deps, request);
    if (!isHead(head)) return head;
    if (head.hold === undefined) return problem(404, "hold-not-found", "The mailbox is not on hold.");

    const at = new Date().toISOString();
    const change = { event: "hold-released" as const, at, principal: principal.id, mailbox: head.mailboxKey };
    const refused = await auditChange(deps.audit, context, change);
    if (refused !== undefined) return refused;
    await moveHead(deps.vault, head.mailboxKey, (current) => {
      const { hold: _ended, ...rest } = current ?? head;
      return rest;
    });
    return json(200, { mailbox: head.mailboxKey });
  };
