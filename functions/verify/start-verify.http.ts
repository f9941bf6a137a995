import type { HttpHandler } from "@azure/functions";
import * as z from "zod";
import { verifyInstance } from "../../shared/contracts/ids.ts";
import type { ClientOf } from "../../shared/durable/client.ts";
import { startOnce } from "../../shared/durable/start-once.ts";
import type { OpenGraph } from "../../shared/graph/graph-client.ts";
import { accepted } from "../../shared/http/accepted.ts";
import { readBody } from "../../shared/http/body.ts";
import { invalidRequest, problem } from "../../shared/http/problem.ts";
import type { Blobs } from "../../shared/storage/blobs.ts";
import { findStoredMailbox } from "../follow-up/find-stored-mailbox.ts";
import type { VerifyVaultInput } from "./verify.contract.ts";

const StartVerifyRequest = z.strictObject({});

/**
 * POST /api/mailboxes/{mailbox}/verify
 *
 * 202 with the job's `Location`; 400 for a body with anything in it; 404 for a mailbox of which the vault holds nothing;
 * 409 with the job that is in the way when the mailbox is being verified.
 */
export const startVerify =
  (deps: { readonly clientOf: ClientOf; readonly openGraph: OpenGraph; readonly vault: Blobs }): HttpHandler =>
  async (request, context) => {
    const body = StartVerifyRequest.safeParse(await readBody(request));
    if (!body.success) return invalidRequest(body.error);
    const mailbox = await findStoredMailbox(deps, request.params["mailbox"] ?? "");
    if (mailbox === undefined)
      return problem(404, "mailbox-not-found", "The vault holds nothing of such a mailbox: back it up first.");

    const job = verifyInstance(mailbox);
    const input: VerifyVaultInput = { scope: { mailbox } };
    const outcome = await startOnce(deps.clientOf(context), "verify-vault", { instanceId: job, input });
    if (outcome === "started") return accepted(job);
    return problem(409, "verification-running", "The mailbox is being verified already: look at that job.", {
      job,
      location: `/api/jobs/${job}`,
    });
  };
