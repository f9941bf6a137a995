import type { HttpResponseInit } from "@azure/functions";
import { auditOrRefuse } from "../../../shared/audit/audit-or-refuse.ts";
import { mapBounded } from "../../../shared/bounded.ts";
import type { RunId } from "../../../shared/contracts/ids.ts";
import { restoreInstance, restoresInstance } from "../../../shared/contracts/job-ids.ts";
import { startUnlessKnown } from "../../../shared/durable/start-once.ts";
import { accepted } from "../../../shared/http/accepted.ts";
import { type Problem, problem, problemResponse } from "../../../shared/http/problem.ts";
import { startedId } from "../../../shared/http/start.ts";
import { mailboxFinder } from "../../../shared/mailboxes.ts";
import { memoize } from "../../../shared/memoize.ts";
import type { Priority } from "../restore.contract.ts";
import type { ListedRestore, RestoreMailboxesInput } from "../restore-list.contract.ts";
import { keepRestoreList, type RestoreList } from "../restore-list-state.ts";
import { resolveRestore } from "./resolve-restore.ts";
import { type ResolvedRestore, restoreInput } from "./resolved-restore.ts";
import { auditedRestore } from "./restore-audit.ts";
import type { RestoreListRequest } from "./restore-request.ts";
import type { ResolveDeps } from "./start-deps.ts";

/** How long a caller is kept waiting for the directory to find many mailboxes. */
const GRAPH_DEADLINE_MS = 120_000;

/** Restores looked up at the same time. */
const LOOKUPS = 8;

type Resolved = ResolvedRestore & { readonly priority: Priority; readonly restoreId: RunId };

/**
 * Starts a list of restores as one job, or none of them when one cannot start. The answer then has the position of each
 * one that cannot, counted from 0, with the problem that it would have as a single restore.
 */
export const startRestoreList = async (
  { window, ...deps }: ResolveDeps & { readonly window: number },
  { specs, dryRun, reason }: RestoreListRequest,
): Promise<HttpResponseInit> => {
  const { client, context, principal, audit, work, start } = deps;
  const now = new Date();
  const found = await resolveAll(deps, specs, now);
  if ("refused" in found) return refuseList(found.refused);

  const { restores } = found;
  const listId = startedId(start);
  const job = restoresInstance(listId);
  const common = { at: now.toISOString(), principal: principal.id, list: job, dryRun, reason };
  const refused = await auditOrRefuse(
    audit,
    context,
    "restores",
    restores.map((restore) => ({ ...common, job: restoreInstance(restore.restoreId), ...auditedRestore(restore) })),
  );
  if (refused !== undefined) return refused;

  const inputs = await mapBounded(byPriority(restores), LOOKUPS, async (restore) => ({
    ...(await restoreInput(work, restore.restoreId, restore, dryRun)),
    priority: restore.priority,
  }));
  const list = byTargetMailbox(inputs);
  await keepRestoreList(work, listId, list);
  const input: RestoreMailboxesInput = { listId, restores: restores.length, mailboxes: list.length, window };
  await startUnlessKnown(client, "restore-mailboxes", { instanceId: job, input });
  return accepted(job, {
    restores: restores.map(({ restoreId, mailbox, into, snapshotId }) => ({
      job: restoreInstance(restoreId),
      mailbox: mailbox.key,
      into: into.key,
      snapshot: snapshotId,
    })),
  });
};

type Refused = Problem & { readonly position: number };

/** All restores, or the problems of those that cannot start. A repetition of an earlier restore is a mistake. */
const resolveAll = async (
  {
    openGraph,
    start,
    ...deps
  }: Pick<ResolveDeps, "openGraph" | "translator" | "request" | "vault" | "principal" | "start">,
  specs: RestoreListRequest["specs"],
  now: Date,
): Promise<{ readonly restores: readonly Resolved[] } | { readonly refused: readonly Refused[] }> => {
  const graph = openGraph({ untilMs: now.getTime() + GRAPH_DEADLINE_MS });
  const find = memoize(mailboxFinder(graph, deps.vault));
  const outcomes = await mapBounded(specs, LOOKUPS, (spec) => resolveRestore({ ...deps, find }, spec));

  const restores: Resolved[] = [];
  const refused: Refused[] = [];
  const firsts = new Map<string, number>();
  for (const [position, outcome] of outcomes.entries()) {
    if ("refusal" in outcome) {
      refused.push({ position, ...outcome.refusal });
      continue;
    }
    const { resolved } = outcome;
    const key = JSON.stringify(resolved);
    const first = firsts.get(key);
    if (first !== undefined) refused.push({ position, ...repeated(first) });
    firsts.set(key, first ?? position);
    // The list has the first id.
    const restoreId = startedId(start, position + 1);
    restores.push({ ...resolved, priority: specs[position]?.priority ?? "normal", restoreId });
  }
  return refused.length === 0 ? { restores } : { refused };
};

const repeated = (first: number): Problem =>
  problem(400, "restore-repeated", `This repeats position ${first}: leave one of them out.`, { first });

/** With the status of the first problem. */
const refuseList = (refused: readonly Refused[]): HttpResponseInit =>
  problemResponse(
    refused[0]?.status ?? 400,
    "list-refused",
    "Nothing was started, since some restores of the list cannot start: correct them, or leave them out.",
    { refused },
  );

const RANKS: Readonly<Record<Priority, number>> = { high: 0, normal: 1, low: 2 };

/** Restores of one priority stay in the order of the list. */
const byPriority = (restores: readonly Resolved[]): readonly Resolved[] =>
  restores.toSorted((a, b) => RANKS[a.priority] - RANKS[b.priority]);

/** A queue for each mailbox to restore into, in the order of their first restores. */
const byTargetMailbox = (restores: readonly ListedRestore[]): RestoreList => {
  const queues = new Map<string, ListedRestore[]>();
  for (const restore of restores) {
    const { key } = restore.into ?? restore.mailbox;
    queues.set(key, [...(queues.get(key) ?? []), restore]);
  }
  return [...queues.values()];
};
