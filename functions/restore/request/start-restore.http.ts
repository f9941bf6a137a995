import type { HttpResponseInit } from "@azure/functions";
import type { AuditLog } from "../../../shared/audit/audit-log.ts";
import { auditOrRefuse } from "../../../shared/audit/audit-or-refuse.ts";
import { restoreInstance } from "../../../shared/contracts/job-ids.ts";
import type { ClientOf } from "../../../shared/durable/client.ts";
import { startUnlessKnown } from "../../../shared/durable/start-once.ts";
import type { OpenGraph } from "../../../shared/graph/graph-client.ts";
import { accepted } from "../../../shared/http/accepted.ts";
import { readBody } from "../../../shared/http/body.ts";
import type { SignedInHandler } from "../../../shared/http/guard.ts";
import { invalidRequest, respondWith } from "../../../shared/http/problem.ts";
import { newStart, startedId } from "../../../shared/http/start.ts";
import { findMailbox } from "../../../shared/mailboxes.ts";
import type { Blobs } from "../../../shared/storage/blobs.ts";
import { resolveIds } from "../../id-translation/resolve-ids.ts";
import type { Translator } from "../../id-translation/translator.ts";
import { giveBack, takeOrRefuse } from "../target/take-or-refuse.ts";
import { resolveRestore, type ToRestIds } from "./resolve-restore.ts";
import { restoreInput } from "./resolved-restore.ts";
import { auditedRestore } from "./restore-audit.ts";
import {
  kindOf,
  PlannedRestoreRequest,
  RestoreListRequest,
  RestoreRequest,
  UploadedListRequest,
} from "./restore-request.ts";
import type { ResolveDeps } from "./start-deps.ts";
import { startPlannedRestore } from "./start-planned-restore.ts";
import { startRestoreList } from "./start-restore-list.ts";
import { startUploadedList } from "./start-uploaded-list.ts";

/** How long a caller is kept waiting for the directory. */
const GRAPH_DEADLINE_MS = 10_000;

/**
 * POST /api/restores
 *
 * 202 with the job's `Location`. 400 for a body that does not parse, or for ids that cannot be of their format. 403
 * when the role to restore into another mailbox is missing, or when Graph does not translate ids that need it. 404 for
 * a mailbox, snapshot, folder, item, target or plan that does not exist. 409 for a job that has no plan, or whose plan
 * is carried out already, and for a mailbox that another restore has, where the caller does not want to wait. 410 for a
 * plan that has expired, or whose snapshot was removed. 503 when the audit log cannot be written: nothing starts
 * without it.
 *
 * Each call starts a restore of its own, but a plan is carried out once. A list of restores is one job, which looks up
 * what its restores name. It is refused as a whole, with the positions of the restores that cannot start: by the call
 * where that shows at once, else by its job. One that was uploaded in pieces starts once, as `startUploadedList` says.
 */
export const startRestore =
  (deps: {
    readonly clientOf: ClientOf;
    readonly openGraph: OpenGraph;
    readonly translator: Translator;
    readonly vault: Blobs;
    readonly work: Blobs;
    readonly state: Blobs;
    readonly audit: AuditLog;
    /** Mailboxes that a list restores into at the same time. */
    readonly window: number;
  }): SignedInHandler =>
  async (request, context, principal, start = newStart()) => {
    const body = await readBody(request);
    const caller = { ...deps, client: deps.clientOf(context), request, context, principal, start };
    const kind = kindOf(body);
    if (kind === "plan") {
      const planned = PlannedRestoreRequest.safeParse(body);
      return planned.success ? startPlannedRestore(caller, planned.data) : invalidRequest(planned.error);
    }
    if (kind === "list") {
      const list = RestoreListRequest.safeParse(body);
      return list.success ? startRestoreList(caller, list.data) : invalidRequest(list.error);
    }
    if (kind === "uploaded-list") {
      const list = UploadedListRequest.safeParse(body);
      return list.success ? startUploadedList(caller, list.data) : invalidRequest(list.error);
    }
    const single = RestoreRequest.safeParse(body);
    return single.success ? startSingleRestore(caller, single.data) : invalidRequest(single.error);
  };

const startSingleRestore = async (
  { client, context, principal, audit, openGraph, translator, request, vault, work, state, start }: ResolveDeps,
  { dryRun, reason, whenBusy, ...spec }: RestoreRequest,
): Promise<HttpResponseInit> => {
  const graph = openGraph({ untilMs: Date.now() + GRAPH_DEADLINE_MS });
  const find = (name: string) => findMailbox(graph, vault, name);
  const toRestIds: ToRestIds = (mailbox, { items: ids, format }) =>
    resolveIds(translator, request, mailbox, { ids, format });
  const found = await resolveRestore({ find, toRestIds, vault, roles: principal.roles }, spec);
  if ("refusal" in found) return respondWith(found.refusal);

  const { resolved } = found;
  const now = new Date();
  const restoreId = startedId(start);
  const job = restoreInstance(restoreId);
  const target = { work, state, client, mailboxKey: resolved.into.key, restoreId };
  const busy = whenBusy === "refuse" && !dryRun ? await takeOrRefuse(target) : undefined;
  if (busy !== undefined) return busy;
  const common = { at: now.toISOString(), principal: principal.id, job, dryRun, reason };
  const refused = await auditOrRefuse(audit, context, "restores", [{ ...common, ...auditedRestore(resolved) }]);
  if (refused !== undefined) return giveBack(target, refused);

  const input = await restoreInput(work, restoreId, resolved, dryRun);
  await startUnlessKnown(client, "restore-mailbox", { instanceId: job, input });
  return accepted(job, { mailbox: resolved.mailbox.key, into: resolved.into.key, snapshot: resolved.snapshotId });
};
