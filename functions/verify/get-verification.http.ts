import type { HttpHandler } from "@azure/functions";
import { noInput } from "../../shared/http/input.ts";
import { json, problemResponse } from "../../shared/http/problem.ts";
import { type MailboxSource, storedMailboxRoute } from "../../shared/mailbox-route.ts";
import type { Blobs } from "../../shared/storage/blobs.ts";
import { problemsOf, readVerification } from "./verification-state.ts";

/**
 * GET /api/mailboxes/{mailbox}/verification
 *
 * 200 with what the newest verification looked at, when all of the mailbox was last verified, and everything that is known
 * to be wrong: each piece (the head, or a snapshot) as it was found when it was last looked at. 404 for a mailbox of which
 * the vault holds nothing, or that was never verified.
 */
export const getVerification = (deps: MailboxSource & { readonly state: Blobs }): HttpHandler =>
  storedMailboxRoute(deps, noInput, async (mailbox) => {
    const known = await readVerification(deps.state, mailbox);
    if (known === undefined)
      return problemResponse(
        404,
        "not-verified",
        "Nothing of the mailbox was verified yet: POST /api/mailboxes/{mailbox}/verify does that.",
      );

    const { last, whole, damaged, findings } = known;
    return json(200, { mailbox, last, whole, problems: problemsOf(known), damaged, findings });
  });
