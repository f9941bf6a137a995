import { randomUUID } from "node:crypto";
import type { HttpResponseInit } from "@azure/functions";
import { auditOrRefuse } from "../../../shared/audit/audit-or-refuse.ts";
import { mapBounded } from "../../../shared/bounded.ts";
import { type RunId, runId } from "../../../shared/contracts/ids.ts";
import { restoreInstance, restoresInstance } from "../../../shared/contracts/job-ids.ts";
import { startOnce } from "../../../shared/durable/start-once.ts";
import { accepted } from "../../../shared/http/accepted.ts";
import { type Problem, problem, problemResponse } from "../../../shared/http/problem.ts";
import { findMailbox } from "../../../shared/mailboxes.ts";
import { memoize } from "../../../shared/memoize.ts";
import type { ListedRestore, RestoreMailboxesInput } from "../restore-list.contract.ts";
import { keepRestoreList, type RestoreList } from "../restore-list-state.ts";
import { auditedRestore, orderedRestore } from "./ordered-restore.ts";
import { type ResolvedRestore, resolveRestore } from "./resolve-restore.ts";
import type { Priority, RestoreListRequest } from "./restore-request.ts";
import type { ResolveDeps } from "./start-deps.ts";

/** How long a caller is kept waiting for the directory to find many mailboxes. */
const GRAPH_DEADLINE_MS = 120_000;

/** Restores that are looked up at the same time. */
const LOOKUPS = 8;

type Resolved = ResolvedRestore & { readonly priority: Priority; readonly restoreId: RunId };

/**
 * Starts a list of restores under one job, when each of them can be started; else none, and the answer names the position
 * of each that cannot, counted from 0, with the problem that it would have by itself.
 */
export const startRestoreList = async (
  { window, ...deps }: ResolveDeps & { readonly window: number },
  { wishes, dryRun, reason }: RestoreListRequest,
): Promise<HttpResponseInit> => {
  const { client, context, principal, audit, work } = deps;
  const now = new Date();
  const found = await resolveAll(deps, wishes, now);
  if ("refused" in found) return refuseList(found.refused);

  const { restores } = found;
  const listId = runId(now, randomUUID());
  const job = restoresInstance(listId);
  const asked = { at: now.toISOString(), principal: principal.id, list: job, dryRun, reason };
  const refused = await auditOrRefuse(
    audit,
    context,
    "restores",
    restores.map((restore) => ({ ...asked, job: restoreInstance(restore.restoreId), ...auditedRestore(restore) })),
  );
  if (refused !== undefined) return refused;

  const ordered = await mapBounded(inOrder(restores), LOOKUPS, (restore) =>
    orderedRestore(work, restore.restoreId, restore, dryRun),
  );
  const list = byFilledMailbox(ordered);
  await keepRestoreList(work, listId, list);
  const input: RestoreMailboxesInput = { listId, restores: restores.length, mailboxes: list.length, window };
  await startOnce(client, "restore-mailboxes", { instanceId: job, input });
  return accepted(job, {
    restores: restores.map(({ restoreId, mailbox, other, snapshotId }) => ({
      job: restoreInstance(restoreId),
      mailbox: mailbox.key,
      into: other.key,
      snapshot: snapshotId,
    })),
  });
};

type Refused = Problem & { readonly position: number };

/** All restores, or those of them that cannot be. A restore that says the same as an earlier one cannot be meant. */
const resolveAll = async (
  { openGraph, ...deps }: Pick<ResolveDeps, "openGraph" | "translator" | "request" | "vault" | "principal">,
  wishes: RestoreListRequest["wishes"],
  now: Date,
): Promise<{ readonly restores: readonly Resolved[] } | { readonly refused: readonly Refused[] }> => {
  const graph = openGraph({ untilMs: now.getTime() + GRAPH_DEADLINE_MS });
  const find = memoize((name) => findMailbox(graph, deps.vault, name));
  const outcomes = await mapBounded(wishes, LOOKUPS, (wish) => resolveRestore({ ...deps, find }, wish));

  const restores: Resolved[] = [];
  const refused: Refused[] = [];
  const firsts = new Map<string, number>();
  for (const [position, outcome] of outcomes.entries()) {
    if ("refusal" in outcome) {
      refused.push({ position, ...outcome.refusal });
      continue;
    }
    const { resolved } = outcome;
    const says = JSON.stringify(resolved);
    const first = firsts.get(says);
    if (first !== undefined) refused.push({ position, ...repeated(first) });
    firsts.set(says, first ?? position);
    // A millisecond apart, since ids of one moment differ by chance only.
    const restoreId = runId(new Date(now.getTime() + position), randomUUID());
    restores.push({ ...resolved, priority: wishes[position]?.priority ?? "normal", restoreId });
  }
  return refused.length === 0 ? { restores } : { refused };
};

const repeated = (first: number): Problem =>
  problem(400, "restore-repeated", `This says the same as position ${first}: leave one of them out.`, { first });

/** With the status of the first: what it needs is what the caller would be told next. */
const refuseList = (refused: readonly Refused[]): HttpResponseInit =>
  problemResponse(
    refused[0]?.status ?? 400,
    "list-refused",
    "Nothing was started, since some restores of the list cannot be: correct them, or leave them out.",
    { refused },
  );

const RANKS: Readonly<Record<Priority, number>> = { high: 0, normal: 1, low: 2 };

/** By priority; of one priority, as they were listed. */
const inOrder = (restores: readonly Resolved[]): readonly Resolved[] =>
  restores.toSorted((a, b) => RANKS[a.priority] - RANKS[b.priority]);

/** A mailbox comes where its first restore does, with all others into it behind that one. */
const byFilledMailbox = (restores: readonly ListedRestore[]): RestoreList => {
  const queues = new Map<string, ListedRestore[]>();
  for (const restore of restores) {
    const { key } = restore.into ?? restore.mailbox;
    queues.set(key, [...(queues.get(key) ?? []), restore]);
  }
  return [...queues.values()];
};
