import { randomUUID } from "node:crypto";
import type { HttpResponseInit, InvocationContext } from "@azure/functions";
import type { DurableClient } from "durable-functions";
import type { AuditLog } from "../../shared/audit/audit-log.ts";
import type { RestoreMailboxInput, Selection } from "../../shared/contracts/restore.ts";
import type { ClientOf } from "../../shared/durable/client.ts";
import { startOnce } from "../../shared/durable/start-once.ts";
import type { GraphClient, OpenGraph } from "../../shared/graph/graph-client.ts";
import { accepted } from "../../shared/http/accepted.ts";
import { readBody } from "../../shared/http/body.ts";
import { roleMissing, type SignedInHandler } from "../../shared/http/guard.ts";
import { invalidRequest, problem } from "../../shared/http/problem.ts";
import { restoreInstance, runId } from "../../shared/ids.ts";
import { findMailbox } from "../../shared/mailboxes.ts";
import type { Principal } from "../../shared/security/principal.ts";
import type { Blobs } from "../../shared/vault/blobs.ts";
import type { Manifest } from "../../shared/vault/manifest.ts";
import { keepSelection } from "../../shared/work/restore-state.ts";
import { auditRestore } from "./audit-restore.ts";
import { auditedSelection } from "./audited-selection.ts";
import { chooseSnapshot } from "./choose-snapshot.ts";
import { lackedRole } from "./cross-mailbox.ts";
import { UnknownItemsError } from "./item-ids.ts";
import { isPlanned, PlannedRestoreRequest, RestoreRequest } from "./restore-request.ts";
import { UnknownFolderError } from "./select-folders.ts";
import { checkSelection } from "./select-items.ts";
import { startPlannedRestore } from "./start-planned-restore.ts";

/** How long a caller is kept waiting for the directory. */
const PATIENCE_MS = 10_000;

/**
 * POST /api/restores
 *
 * 202 with the job's `Location`; 400 for a body that does not parse; 403 for another mailbox as the target without the
 * role for it; 404 for a mailbox, snapshot, folder, item, target or plan that does not exist; 409 for a plan that is none,
 * or is carried out already; 410 for one that has expired; 503 when the audit log cannot be written, without which nothing
 * starts. Each call is a restore of its own, but for a plan, which is carried out once.
 */
export const startRestore =
  (deps: {
    readonly clientOf: ClientOf;
    readonly openGraph: OpenGraph;
    readonly vault: Blobs;
    readonly work: Blobs;
    readonly audit: AuditLog;
  }): SignedInHandler =>
  async (request, context, principal) => {
    const body = await readBody(request);
    const caller = { client: deps.clientOf(context), context, principal };
    if (isPlanned(body)) {
      const planned = PlannedRestoreRequest.safeParse(body);
      return planned.success
        ? startPlannedRestore({ ...deps, ...caller }, planned.data)
        : invalidRequest(planned.error);
    }
    const wanted = RestoreRequest.safeParse(body);
    if (!wanted.success) return invalidRequest(wanted.error);
    const graph = deps.openGraph({ untilMs: Date.now() + PATIENCE_MS });
    return startWantedRestore({ ...deps, ...caller, graph }, wanted.data);
  };

/** What starting a restore takes: who asks, where it is written down, and where it runs. */
export interface StartDeps {
  readonly client: Pick<DurableClient, "getStatus" | "startNew">;
  readonly context: Pick<InvocationContext, "error">;
  readonly principal: Principal;
  readonly audit: AuditLog;
  readonly work: Blobs;
}

const startWantedRestore = async (
  { client, context, principal, audit, graph, vault, work }: StartDeps & { graph: GraphClient; vault: Blobs },
  wanted: RestoreRequest,
): Promise<HttpResponseInit> => {
  const { select, onConflict, dryRun, reason } = wanted;
  const mailbox = await findMailbox(graph, vault, wanted.mailbox);
  if (mailbox === undefined) return problem(404, "mailbox-not-found", "There is no such mailbox.");

  const { mailbox: into, folders: target } = placeOf(wanted.target);
  const other = into === undefined ? mailbox : await findMailbox(graph, vault, into);
  if (other === undefined) return problem(404, "target-not-found", "There is no such mailbox to restore into.");
  const lacked = lackedRole(principal, { source: mailbox.key, target: other.key });
  if (lacked !== undefined) return roleMissing(lacked);

  const snapshot = await chooseSnapshot(vault, mailbox.key, wanted);
  if (snapshot === undefined) return problem(404, "snapshot-not-found", "The mailbox has no such snapshot.");
  const unknown = await unknownIn(vault, snapshot, select);
  if (unknown !== undefined) return unknown;

  const now = new Date();
  const restoreId = runId(now, randomUUID());
  const job = restoreInstance(restoreId);
  const refused = await auditRestore(audit, context, {
    at: now.toISOString(),
    principal: principal.id,
    job,
    mailbox: mailbox.key,
    ...(other.key === mailbox.key ? {} : { into: other.key }),
    snapshot: snapshot.id,
    selection: auditedSelection(select, snapshot.folders),
    target,
    onConflict,
    dryRun,
    reason,
  });
  if (refused !== undefined) return refused;

  const input: RestoreMailboxInput = {
    restoreId,
    mailbox,
    ...(other.key === mailbox.key ? {} : { into: other }),
    snapshotId: snapshot.id,
    select: await keepSelection(work, restoreId, select),
    target,
    onConflict,
    dryRun,
  };
  await startOnce(client, "restore-mailbox", { instanceId: job, input });
  return accepted(job, { mailbox: mailbox.key, into: other.key, snapshot: snapshot.id });
};

const placeOf = (target: RestoreRequest["target"]): { mailbox?: string; folders: RestoreMailboxInput["target"] } =>
  typeof target === "string" ? { folders: target } : target;

/** 404 for what a selection names and the snapshot does not have. */
const unknownIn = async (
  vault: Blobs,
  snapshot: Manifest,
  select: Selection,
): Promise<HttpResponseInit | undefined> => {
  try {
    await checkSelection(vault, snapshot, select);
    return undefined;
  } catch (error) {
    if (error instanceof UnknownFolderError)
      return problem(404, "folder-not-found", `${error.message}.`, { folder: error.folder });
    if (error instanceof UnknownItemsError)
      return problem(404, "item-not-found", `${error.message}.`, { positions: error.positions });
    throw error;
  }
};
