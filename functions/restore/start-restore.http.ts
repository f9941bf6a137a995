import { randomUUID } from "node:crypto";
import * as z from "zod";
import type { AuditLog } from "../../shared/audit/audit-log.ts";
import { type RestoreMailboxInput, Selection, Target } from "../../shared/contracts/restore.ts";
import type { ClientOf } from "../../shared/durable/client.ts";
import { startOnce } from "../../shared/durable/start-once.ts";
import type { OpenGraph } from "../../shared/graph/graph-client.ts";
import { accepted } from "../../shared/http/accepted.ts";
import { readBody } from "../../shared/http/body.ts";
import { invalidRequest, problem } from "../../shared/http/problem.ts";
import { roleMissing, type SignedInHandler } from "../../shared/http/requiring-role.ts";
import { restoreInstance, runId, SnapshotId } from "../../shared/ids.ts";
import { findMailbox } from "../../shared/mailboxes.ts";
import type { Blobs } from "../../shared/vault/blobs.ts";
import { readHead, readManifest } from "../../shared/vault/snapshots.ts";
import { auditedSelection } from "./audited-selection.ts";
import { lackedRole } from "./cross-mailbox.ts";
import { selectFolders, UnknownFolderError } from "./select-folders.ts";

/** How long a caller is kept waiting for the directory. */
const PATIENCE_MS = 10_000;

export const StartRestoreRequest = z.strictObject({
  /** A user by id or principal name, or a mailbox key. */
  mailbox: z.string().min(1),
  /** The newest one when absent. */
  snapshot: SnapshotId.optional(),
  select: Selection,
  target: Target.default("new-folder"),
  /** What to do with an item that lies in its place already: leave it, and import no second one. */
  onConflict: z.literal("skip").default("skip"),
  dryRun: z.boolean().default(false),
  /** Why, in the operator's own words, for the audit log. */
  reason: z.string().trim().min(1).max(500),
});

/**
 * POST /api/restores
 *
 * 202 with the job's `Location`; 400 for a body that does not parse; 403 for another mailbox as the target without the
 * role for it; 404 for a mailbox, snapshot or folder that does not exist; 503 when the audit log cannot be written, without
 * which nothing starts. Each call is a restore of its own.
 */
export const startRestore =
  (deps: {
    readonly clientOf: ClientOf;
    readonly openGraph: OpenGraph;
    readonly vault: Blobs;
    readonly audit: AuditLog;
  }): SignedInHandler =>
  async (request, context, principal) => {
    const body = StartRestoreRequest.safeParse(await readBody(request));
    if (!body.success) return invalidRequest(body.error);

    const { select, target, onConflict, dryRun, reason } = body.data;
    const graph = deps.openGraph({ untilMs: Date.now() + PATIENCE_MS });
    const mailbox = await findMailbox(graph, deps.vault, body.data.mailbox);
    if (mailbox === undefined) return problem(404, "mailbox-not-found", "There is no such mailbox.");

    const lacked = lackedRole(principal, { source: mailbox.key, target: mailbox.key });
    if (lacked !== undefined) return roleMissing(lacked);

    const head = await readHead(deps.vault, mailbox.key);
    const snapshotId = body.data.snapshot ?? head?.newest?.id;
    const snapshot = snapshotId && (await readManifest(deps.vault, mailbox.key, snapshotId));
    if (!snapshotId || !snapshot) return problem(404, "snapshot-not-found", "The mailbox has no such snapshot.");

    try {
      selectFolders(snapshot.manifest.folders, select);
    } catch (error) {
      if (!(error instanceof UnknownFolderError)) throw error;
      return problem(404, "folder-not-found", `${error.message}.`, { folder: error.folder });
    }

    const now = new Date();
    const restoreId = runId(now, randomUUID());
    const job = restoreInstance(restoreId);
    try {
      await deps.audit.restoreRequested({
        at: now.toISOString(),
        principal: principal.id,
        job,
        mailbox: mailbox.key,
        snapshot: snapshotId,
        selection: auditedSelection(select, snapshot.manifest.folders),
        target,
        onConflict,
        dryRun,
        reason,
      });
    } catch (error) {
      context.error(`The audit log does not take ${job}, which is not started`, error);
      return problem(503, "audit-unavailable", "The audit log cannot be written, so nothing was started: try again.");
    }

    const input: RestoreMailboxInput = { restoreId, mailbox, snapshotId, select, target, dryRun };
    await startOnce(deps.clientOf(context), "restore-mailbox", { instanceId: job, input });
    return accepted(job, { mailbox: mailbox.key, snapshot: snapshotId });
  };
