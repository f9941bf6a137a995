import type { HttpHandler } from "@azure/functions";
import * as z from "zod";
import { verifyInstance } from "../../shared/contracts/job-ids.ts";
import type { ClientOf } from "../../shared/durable/client.ts";
import { startOnceFor } from "../../shared/durable/start-once.ts";
import { accepted } from "../../shared/http/accepted.ts";
import { bodyOf } from "../../shared/http/input.ts";
import { problemResponse } from "../../shared/http/problem.ts";
import { type MailboxSource, storedMailboxRoute } from "../../shared/mailbox-route.ts";
import type { VerifyVaultInput } from "./verify.contract.ts";

const StartVerifyRequest = z.strictObject({});

/**
 * POST /api/mailboxes/{mailbox}/verify
 *
 * 202 with the job's `Location`; 400 for a body that is not empty; 404 for a mailbox that is not in the vault; 409 with
 * the running job when the mailbox is being verified already.
 */
export const startVerify = (deps: MailboxSource & { readonly clientOf: ClientOf }): HttpHandler =>
  storedMailboxRoute(deps, bodyOf(StartVerifyRequest), async (mailbox, { context, start }) => {
    const job = verifyInstance(mailbox);
    const input: VerifyVaultInput = { scope: { mailbox } };
    const options = { instanceId: job, input };
    const outcome = await startOnceFor(start, deps.clientOf(context), "verify-vault", options);
    if (outcome === "started") return accepted(job);
    return problemResponse(409, "verification-running", "The mailbox is being verified already: look at that job.", {
      job,
      location: `/api/jobs/${job}`,
    });
  });
