import type { HttpHandler } from "@azure/functions";
import { auditOrRefuse } from "../../shared/audit/audit-or-refuse.ts";
import { noInput } from "../../shared/http/input.ts";
import { json, problemResponse } from "../../shared/http/problem.ts";
import { moveHead } from "../../shared/vault/snapshots.ts";
import { type HoldDeps, heldMailboxRoute } from "./held-mailbox.ts";

/**
 * DELETE /api/mailboxes/{mailbox}/hold
 *
 * 200 when the hold is released; 404 for a mailbox that does not exist, or is not on hold; 409 for one that was never
 * backed up; 503 when the audit log cannot be written: then nothing changes.
 */
export const releaseHold = (deps: HoldDeps): HttpHandler =>
  heldMailboxRoute(deps, noInput, async (head, { context, principal }) => {
    if (head.hold === undefined) return problemResponse(404, "hold-not-found", "The mailbox is not on hold.");

    const at = new Date().toISOString();
    const mailbox = head.mailboxKey;
    const change = { event: "hold-released" as const, at, principal: principal.id, mailbox };
    const refused = await auditOrRefuse(deps.audit, context, "vault", [change]);
    if (refused !== undefined) return refused;
    await moveHead(deps.vault, mailbox, (current) => {
      const { hold: _ended, ...rest } = current ?? head;
      return rest;
    });
    return json(200, { mailbox });
  });
