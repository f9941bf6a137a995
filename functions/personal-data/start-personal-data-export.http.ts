import type { HttpResponseInit } from "@azure/functions";
import type { DurableClient } from "durable-functions";
import * as z from "zod";
import type { AuditLog } from "../../shared/audit/audit-log.ts";
import { auditOrRefuse } from "../../shared/audit/audit-or-refuse.ts";
import type { MailboxKey } from "../../shared/contracts/ids.ts";
import { personalDataInstance } from "../../shared/contracts/job-ids.ts";
import type { ClientOf } from "../../shared/durable/client.ts";
import { findInstance, isAlive, startUnlessKnown } from "../../shared/durable/start-once.ts";
import { findUser } from "../../shared/graph/directory.ts";
import type { GraphClient, OpenGraph } from "../../shared/graph/graph-client.ts";
import { readBody } from "../../shared/http/body.ts";
import { refuseRole, type SignedInHandler } from "../../shared/http/guard.ts";
import { invalidRequest, json, problemResponse } from "../../shared/http/problem.ts";
import { newStart, startedId } from "../../shared/http/start.ts";
import { mailboxesOf } from "../../shared/mailboxes.ts";
import type { Blobs } from "../../shared/storage/blobs.ts";
import { readHead } from "../../shared/vault/snapshots.ts";
import type { ExportPersonalDataInput } from "./personal-data.contract.ts";
import { type Claim, claimPerson, releasePerson } from "./personal-data-state.ts";

/** How long a caller is kept waiting for the directory. */
const GRAPH_DEADLINE_MS = 10_000;

/** How long a claim holds without a job: starting one takes seconds. */
const STARTING_MS = 2 * 60_000;

const StartRequest = z.strictObject({
  /** An object id or a principal name, of 320 characters at most. A name of dots would lead to another address. */
  user: z
    .string()
    .min(1)
    .max(320)
    .regex(/^(?!\.{1,2}$)\P{Surrogate}*$/u, "Expected the id or the principal name of a user"),
  /** Why, in the officer's own words, for the audit log. */
  reason: z.string().trim().min(1).max(500),
  includeMailbox: z.boolean().default(false),
});

/**
 * POST /api/personal-data-exports
 *
 * 202 with the export's `Location`; 400 for a body that does not parse; 403 when the mailbox is wanted and the caller
 * may not restore: its content would come by another door; 404 for a user that does not exist, or whose mailbox is
 * wanted and not in the vault; 409 with the other export while one of the same person runs; 503 when the audit log
 * cannot be written: nothing starts without it.
 */
export const startPersonalDataExport =
  (deps: {
    readonly clientOf: ClientOf;
    readonly openGraph: OpenGraph;
    readonly vault: Blobs;
    readonly work: Blobs;
    readonly audit: AuditLog;
    /** Whether archive mailboxes are in the vault. */
    readonly archives: boolean;
    /** How long to wait for Microsoft. */
    readonly timeoutMs: number;
  }): SignedInHandler =>
  async (request, context, principal, start = newStart()) => {
    const { clientOf, openGraph, vault, work, archives } = deps;
    const parsed = StartRequest.safeParse(await readBody(request));
    if (!parsed.success) return invalidRequest(parsed.error);
    const { user, reason, includeMailbox } = parsed.data;
    if (includeMailbox && !principal.roles.includes("Restore.Operator")) return refuseRole("Restore.Operator");

    const graph = openGraph({ untilMs: Date.now() + GRAPH_DEADLINE_MS });
    const person = await findUser(graph, user);
    if (person === undefined) return problemResponse(404, "user-not-found", "There is no such user.");
    const mailboxes = includeMailbox ? await backedUp(graph, vault, person.id, archives) : [];
    if (includeMailbox && mailboxes.length === 0)
      return problemResponse(
        404,
        "snapshot-not-found",
        "No mailbox of the user is in the vault: back it up first, or leave it out.",
      );

    const client = clientOf(context);
    const now = new Date();
    const exportId = startedId(start);
    const job = personalDataInstance(exportId);
    const claim = { exportId, at: now.toISOString() };
    const holder = await claimPerson(work, person.id, claim, isOver(client, now));
    if (holder !== exportId) return isRunning(personalDataInstance(holder));

    const entry = {
      event: "personal-data-requested" as const,
      at: claim.at,
      principal: principal.id,
      job,
      user: person.id,
      mailboxes,
      reason,
    };
    const refused = await auditOrRefuse(deps.audit, context, "personal-data", [entry]);
    if (refused !== undefined) {
      await releasePerson(work, person.id);
      return refused;
    }
    const until = new Date(now.getTime() + deps.timeoutMs).toISOString();
    const input: ExportPersonalDataInput = { exportId, userId: person.id, mailboxes, until };
    await startUnlessKnown(client, "export-personal-data", { instanceId: job, input });
    const location = locationOf(job);
    return json(202, { job, location, mailboxes }, { location });
  };

const locationOf = (job: string): string => `/api/personal-data-exports/${job}`;

/** The keys of a person's mailboxes that have a snapshot in the vault. */
const backedUp = async (graph: GraphClient, vault: Blobs, userId: string, archives: boolean): Promise<MailboxKey[]> => {
  const keys: MailboxKey[] = [];
  for (const { key } of await mailboxesOf(graph, userId, { archives }))
    if ((await readHead(vault, key))?.newest) keys.push(key);
  return keys;
};

/** Whether the job of an export ended, or never started after its claim. */
const isOver =
  (client: Pick<DurableClient, "getStatus">, now: Date) =>
  async ({ exportId, at }: Claim): Promise<boolean> => {
    const job = await findInstance(client, personalDataInstance(exportId));
    return job === undefined ? now.getTime() - Date.parse(at) > STARTING_MS : !isAlive(job);
  };

const isRunning = (job: string): HttpResponseInit =>
  problemResponse(409, "already-running", "An export of this person is running: wait for it, or cancel it.", {
    job,
    location: locationOf(job),
  });
