import * as z from "zod";
import { backupInstance, backupTenantInstance } from "../../shared/contracts/job-ids.ts";
import type { ClientOf } from "../../shared/durable/client.ts";
import { findInstance, isAlive, isStartedBy, startOnceFor } from "../../shared/durable/start-once.ts";
import type { OpenGraph } from "../../shared/graph/graph-client.ts";
import { accepted } from "../../shared/http/accepted.ts";
import { readBody } from "../../shared/http/body.ts";
import type { StartHandler } from "../../shared/http/guard.ts";
import { invalidRequest, problemResponse } from "../../shared/http/problem.ts";
import { newStart } from "../../shared/http/start.ts";
import { findMailbox } from "../../shared/mailboxes.ts";
import type { Blobs } from "../../shared/storage/blobs.ts";
import type { BackupTenantInput } from "./backup.contract.ts";

/** How long a caller waits for the directory. */
const GRAPH_DEADLINE_MS = 10_000;

export const StartBackupRequest = z.strictObject({
  /** Users by id or principal name, or mailbox keys; all mailboxes in scope when absent. */
  mailboxes: z.array(z.string().min(1)).min(1).max(100).optional(),
  /** Whether to list everything again and store what differs, instead of asking for changes. */
  full: z.boolean().default(false),
});

/**
 * POST /api/backups
 *
 * 202 with the job's `Location`; 400 for a body that does not parse; 404 for a mailbox that does not exist; 409, with
 * the running job, when that mailbox or the tenant is being backed up.
 */
export const startBackup =
  (deps: {
    readonly clientOf: ClientOf;
    readonly openGraph: OpenGraph;
    readonly vault: Blobs;
    readonly window: number;
  }): StartHandler =>
  async (request, context, _, start = newStart()) => {
    const body = StartBackupRequest.safeParse(await readBody(request));
    if (!body.success) return invalidRequest(body.error);

    const client = deps.clientOf(context);
    const graph = deps.openGraph({ untilMs: Date.now() + GRAPH_DEADLINE_MS });
    const only: string[] = [];
    let busy: string | undefined;
    for (const name of body.data.mailboxes ?? []) {
      const mailbox = await findMailbox(graph, deps.vault, name);
      if (mailbox === undefined)
        return problemResponse(404, "mailbox-not-found", "There is no such mailbox.", { mailbox: name });
      const own = backupInstance(mailbox.key);
      if (isAlive(await findInstance(client, own))) busy ??= own;
      only.push(mailbox.userId);
    }

    const input: BackupTenantInput = {
      trigger: "request",
      full: body.data.full,
      window: deps.window,
      ...(only.length === 0 ? {} : { only }),
    };
    const options = { instanceId: backupTenantInstance(), input };
    if (busy !== undefined && !(await isStartedBy(start, client, options))) return running(busy);
    const outcome = await startOnceFor(start, client, "backup-tenant", options);
    return outcome === "started" ? accepted(backupTenantInstance()) : running(backupTenantInstance());
  };

const running = (job: string) =>
  problemResponse(409, "backup-running", "A backup is running already: wait for it, or look at its job.", {
    job,
    location: `/api/jobs/${job}`,
  });
