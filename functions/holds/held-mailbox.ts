import type { HttpResponseInit } from "@azure/functions";
import type { AuditLog } from "../../shared/audit/audit-log.ts";
import type { ReadInput } from "../../shared/http/input.ts";
import { problemResponse } from "../../shared/http/problem.ts";
import { type MailboxRequest, type MailboxSource, mailboxRoute } from "../../shared/mailbox-route.ts";
import type { Head } from "../../shared/vault/head.ts";
import { readHead } from "../../shared/vault/snapshots.ts";

export interface HoldDeps extends MailboxSource {
  readonly audit: AuditLog;
}

/** The handler of a route about a mailbox's hold. The head has the hold: 409 for a mailbox without a head. */
export const heldMailboxRoute = <I>(
  deps: HoldDeps,
  read: ReadInput<I>,
  answer: (head: Head, asked: MailboxRequest<I>) => Promise<HttpResponseInit>,
) =>
  mailboxRoute(deps, read, async ({ key }, asked) => {
    const head = await readHead(deps.vault, key);
    if (head === undefined)
      return problemResponse(409, "never-backed-up", "The mailbox was never backed up, so there is nothing to hold.");
    return answer(head, asked);
  });
