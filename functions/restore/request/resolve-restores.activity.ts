import { createHash } from "node:crypto";
import type { ActivityHandler } from "durable-functions";
import { mapBounded } from "../../../shared/bounded.ts";
import type { RunId } from "../../../shared/contracts/ids.ts";
import type { Away } from "../../../shared/durable/outages.ts";
import { implementThroughOutages } from "../../../shared/durable/through-outages.ts";
import type { OpenGraph } from "../../../shared/graph/graph-client.ts";
import type { Problem } from "../../../shared/http/problem.ts";
import { mailboxFinder } from "../../../shared/mailboxes.ts";
import { memoize } from "../../../shared/memoize.ts";
import type { Blobs } from "../../../shared/storage/blobs.ts";
import { resolveIds } from "../../id-translation/resolve-ids.ts";
import type { Translator } from "../../id-translation/translator.ts";
import { type AskedRestore, type ListCall, readAsked, readListCall } from "./list-request-state.ts";
import { resolveRestores } from "./resolve-list.contract.ts";
import { type ResolverDeps, resolveRestore, type ToRestIds } from "./resolve-restore.ts";
import { findResolved, keepResolved, type ResolvedPage } from "./resolved-list-state.ts";
import { restoreInput } from "./resolved-restore.ts";
import { auditedRestore } from "./restore-audit.ts";

/** Restores looked up at the same time. */
const LOOKUPS = 8;

/** How long Graph may take beyond the time of the activity. */
const GRAPH_DEADLINE_MS = 120_000;

/** Nobody calls: what only the caller can translate was translated at the call. */
const NO_CALL = { headers: new Headers() };

interface Deps {
  readonly openGraph: OpenGraph;
  readonly translator: Translator;
  readonly vault: Blobs;
  readonly work: Blobs;
  /** How long it looks up before it returns. */
  readonly budgetMs: number;
}

/**
 * Looks up restores of a list, up to the end of their page or until time is up; those that are looked up at the same
 * time are always done. Nothing starts: what was found is kept in scratch data.
 *
 * Run twice, even at the same time, what is kept first counts for both.
 */
export const resolveRestoresActivity = (deps: Deps): ActivityHandler =>
  implementThroughOutages(resolveRestores, async ({ listId, from }) => {
    const kept = await findResolved(deps.work, listId, from);
    if (kept !== undefined) return { next: kept.next };
    const found = await resolveFrom(deps, listId, from);
    if ("awayMs" in found) return found;
    return { next: (await keepResolved(deps.work, listId, from, found)).next };
  });

const resolveFrom = async (deps: Deps, listId: RunId, from: number): Promise<ResolvedPage | Away> => {
  const untilMs = Date.now() + deps.budgetMs;
  const call = await readListCall(deps.work, listId);
  const asked = await readAsked(deps.work, listId, from);
  const graph = deps.openGraph({ untilMs: untilMs + GRAPH_DEADLINE_MS });
  const find = memoize(mailboxFinder(graph, deps.vault));
  const page: ResolvedPage = { next: from, startable: [], refused: [] };
  do {
    const first = page.next;
    const some = asked.slice(first - from, first - from + LOOKUPS);
    const outcomes = await mapBounded(some, LOOKUPS, (one) => resolveOne({ ...deps, find }, call, one));
    for (const [n, outcome] of outcomes.entries()) {
      const position = first + n;
      if ("startable" in outcome) page.startable.push({ ...outcome.startable, position });
      else if (outcome.refusal.status !== 503) page.refused.push({ ...outcome.refusal, position });
      else return { awayMs: (outcome.refusal.retryAfterSeconds ?? 0) * 1000 };
    }
    page.next = first + some.length;
  } while (page.next < from + asked.length && Date.now() < untilMs);
  return page;
};

type Startable = Omit<ResolvedPage["startable"][number], "position">;

const resolveOne = async (
  {
    translator,
    vault,
    work,
    find,
  }: Pick<Deps, "translator" | "vault" | "work"> & { readonly find: ResolverDeps["find"] },
  { roles, dryRun }: ListCall,
  { restoreId, spec, restIds }: AskedRestore,
): Promise<{ readonly startable: Startable } | { readonly refusal: Problem }> => {
  const toRestIds: ToRestIds = async (mailbox, { items: ids, format }) =>
    restIds === undefined ? resolveIds(translator, NO_CALL, mailbox, { ids, format }) : { ids: restIds };
  const found = await resolveRestore({ find, vault, roles, toRestIds }, spec);
  if ("refusal" in found) return found;
  const { resolved } = found;
  return {
    startable: {
      priority: spec.priority,
      listed: await restoreInput(work, restoreId, resolved, dryRun),
      audited: auditedRestore(resolved),
      sum: createHash("sha256").update(JSON.stringify(resolved)).digest("base64url"),
    },
  };
};
