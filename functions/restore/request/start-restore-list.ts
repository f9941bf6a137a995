import type { HttpResponseInit } from "@azure/functions";
import { auditOrRefuse } from "../../../shared/audit/audit-or-refuse.ts";
import type { RunId } from "../../../shared/contracts/ids.ts";
import { restoreInstance, restoresInstance } from "../../../shared/contracts/job-ids.ts";
import { startUnlessKnown } from "../../../shared/durable/start-once.ts";
import { accepted } from "../../../shared/http/accepted.ts";
import { problemResponse } from "../../../shared/http/problem.ts";
import { type Start, startedId } from "../../../shared/http/start.ts";
import { ROLES } from "../../../shared/security/principal.ts";
import type { RestoreMailboxesInput } from "../restore-list.contract.ts";
import { callerIds } from "./caller-ids.ts";
import { keepListCall } from "./list-request-state.ts";
import { refusedAtOnce } from "./refused-at-once.ts";
import type { RefusedRestore } from "./resolved-list-state.ts";
import type { RestoreListRequest } from "./restore-request.ts";
import type { ResolveDeps } from "./start-deps.ts";

/**
 * Starts a list of restores as one job, which looks up what they name. Refuses the list where some restore is seen not
 * to start without looking anything up. The refusal has the position of each, counted from 0, with the problem that it
 * would have as a single restore.
 */
export const startRestoreList = async (
  { window, ...deps }: ResolveDeps & { readonly window: number },
  { specs, dryRun, reason }: RestoreListRequest,
  /** A refusal where something else has what the list is made of. */
  claim: () => Promise<HttpResponseInit | undefined> = async () => undefined,
): Promise<HttpResponseInit> => {
  const { client, context, principal, audit, work, start } = deps;
  const refused = refusedAtOnce(specs);
  if (refused.length > 0) return refuseList(refused);
  const translated = await callerIds(deps, specs);
  if ("refused" in translated) return refuseList(translated.refused);
  const taken = await claim();
  if (taken !== undefined) return taken;

  const listId = startedId(start);
  const job = restoresInstance(listId);
  const common = { at: new Date().toISOString(), principal: principal.id, dryRun, reason };
  const unaudited = await auditOrRefuse(audit, context, "restores", [
    { event: "restore-list-requested", job, restores: specs.length, ...common },
  ]);
  if (unaudited !== undefined) return unaudited;

  const asked = specs.map((spec, position) => {
    const restIds = translated.restIds.get(position);
    return { restoreId: listedId(start, position), spec, ...(restIds && { restIds: [...restIds] }) };
  });
  const restoreIds = asked.map(({ restoreId }) => restoreId);
  const roles = ROLES.filter((role) => principal.roles.includes(role));
  await keepListCall(work, listId, { ...common, roles, restoreIds }, asked);
  const input: RestoreMailboxesInput = { listId, restores: specs.length, window };
  await startUnlessKnown(client, "restore-mailboxes", { instanceId: job, input });
  return accepted(job, { restores: restoreIds.map((restoreId) => ({ job: restoreInstance(restoreId) })) });
};

/** The list has the first id. */
const listedId = (start: Start, position: number): RunId => startedId(start, position + 1);

/** With the status of the first problem. */
const refuseList = (refused: readonly RefusedRestore[]): HttpResponseInit =>
  problemResponse(
    refused[0]?.status ?? 400,
    "list-refused",
    "Nothing was started, since some restores of the list cannot start: correct them, or leave them out.",
    { refused },
  );
