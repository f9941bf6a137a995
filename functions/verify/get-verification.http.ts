import type { HttpHandler } from "@azure/functions";
import { noInput } from "../../shared/http/input.ts";
import { json, problemResponse } from "../../shared/http/problem.ts";
import { type MailboxSource, storedMailboxRoute } from "../../shared/mailbox-route.ts";
import type { Blobs } from "../../shared/storage/blobs.ts";
import { problemsOf, readVerification } from "./verification-state.ts";

/**
 * GET /api/mailboxes/{mailbox}/verification
 *
 * 200 with the newest verification, the time of the last one of the whole mailbox, and all known damage: for each piece
 * (the head, or a snapshot) as of its last verification. 404 for a mailbox that is not in the vault, or was never
 * verified.
 */
export const getVerification = (deps: MailboxSource & { readonly state: Blobs }): HttpHandler =>
  storedMailboxRoute(deps, noInput, async (mailbox) => {
    const known = await readVerification(deps.state, mailbox);
    if (known === undefined)
      return problemResponse(
        404,
        "not-verified",
        "The mailbox was never verified: POST /api/mailboxes/{mailbox}/verify verifies it.",
      );

    const { last, whole, damaged, findings } = known;
    return json(200, { mailbox, last, whole, problems: problemsOf(known), damaged, findings });
  });
