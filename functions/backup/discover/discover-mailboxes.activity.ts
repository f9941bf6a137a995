import type { ActivityHandler } from "durable-functions";
import type { BackupScope } from "../../../shared/backup-scope.ts";
import { mapBounded } from "../../../shared/bounded.ts";
import { backupInstance } from "../../../shared/contracts/job-ids.ts";
import type { MailboxRef } from "../../../shared/contracts/mailbox.ts";
import { implement } from "../../../shared/durable/activity.ts";
import type { ClientOf } from "../../../shared/durable/client.ts";
import { findInstance, isAlive } from "../../../shared/durable/start-once.ts";
import { isBrokenAnswer } from "../../../shared/graph/broken-answer.ts";
import { probeMailbox } from "../../../shared/graph/folders.ts";
import type { GraphClient, OpenGraph } from "../../../shared/graph/graph-client.ts";
import { GraphError, isForbidden } from "../../../shared/graph/graph-error.ts";
import { findMailboxOf } from "../../../shared/mailboxes.ts";
import type { Blobs } from "../../../shared/storage/blobs.ts";
import { discoverMailboxes } from "../backup.contract.ts";
import { type LeftOut, LeftOutReason, MAX_LEFT_OUT } from "./left-out.contract.ts";
import { addMailboxes } from "./mailbox-queue.ts";
import { mailboxesOfUser } from "./mailboxes-of-user.ts";
import { closeScope, keepLeftOut, keepScopePage } from "./scope-state.ts";
import { askFor, LOOKUPS, type Unreached, usersInScope } from "./users-in-scope.ts";

/** How long one page waits for Graph before the activity fails and is tried again. */
const GRAPH_DEADLINE_MS = 120_000;

/**
 * Queues one page of the mailboxes to back up, and counts who is left out and why. A mailbox whose backup is still
 * running is left out and counted as busy. One that the app may not read is found out here, where it holds no place of
 * the run. A user for whom Graph has no answer costs nobody else's backup; their mailboxes in the vault stay in scope.
 *
 * A discovery of the whole scope is stored, so that the coverage shows mailboxes in scope that were never backed up,
 * and how many users are left out. Run twice, the page that was queued first is kept.
 */
export const discoverMailboxesActivity = (deps: {
  readonly openGraph: OpenGraph;
  readonly scope: BackupScope;
  /** Users, by id or principal name, who are never backed up. */
  readonly exclude: readonly string[];
  readonly archives: boolean;
  readonly clientOf: ClientOf;
  readonly work: Blobs;
  readonly state: Blobs;
}): ActivityHandler =>
  implement(discoverMailboxes, async ({ tenantRun, only, page: number, start, next }, context) => {
    const graph = deps.openGraph({ untilMs: Date.now() + GRAPH_DEADLINE_MS });
    const client = deps.clientOf(context);
    const isBusy = async ({ key }: MailboxRef) => isAlive(await findInstance(client, backupInstance(key)));
    const page = await usersInScope(graph, only ?? deps.scope, deps.exclude, next);
    const found = await mapBounded(page.users, LOOKUPS, ({ id }) => lookUp(graph, id, deps.archives));
    assertNoOutage(found);
    const mailboxes = found.flatMap((user) => user.mailboxes);
    const access = await mapBounded(mailboxes, LOOKUPS, async (mailbox) =>
      (await isBusy(mailbox)) ? "busy" : probe(deps.openGraph, mailbox),
    );
    const ready = mailboxes.filter((_, index) => access[index] === "ready");
    const forbidden = mailboxes.filter((_, index) => access[index] === "notPermitted");
    const leftOut = countLeftOut([
      ...page.leftOut,
      ...found.flatMap((user) => user.leftOut),
      ...forbidden.map(({ userId }) => ({ reason: "notPermitted" as const, user: userId })),
    ]);
    if (only === undefined) {
      const { leftOut: _, ...counts } = leftOut;
      const unreached = found.filter(({ isUnreached }) => isUnreached).map(({ userId }) => userId);
      await keepLeftOut(deps.state, tenantRun, number, counts);
      const inScope = [...(await inVault(deps.state, unreached)), ...mailboxes];
      await keepScopePage(deps.state, tenantRun, number, inScope);
      if (page.next === undefined) await closeScope(deps.state, tenantRun);
    }
    return {
      mailboxes: (await addMailboxes(deps.work, tenantRun, { page: number, start }, ready)).length,
      busy: access.filter((each) => each === "busy").length,
      ...leftOut,
      next: page.next,
    };
  });

/** What a look-up of one user found. */
interface Found {
  readonly userId: string;
  readonly mailboxes: readonly MailboxRef[];
  readonly leftOut: readonly LeftOut[];
  /** Whether a mailbox may be missing, as Graph did not tell. */
  readonly isUnreached: boolean;
}

/** The mailboxes of a user. One of which Graph tells nothing does not hide the other. */
const lookUp = async (graph: GraphClient, userId: string, archives: boolean): Promise<Found> => {
  const mailboxes: MailboxRef[] = [];
  const reasons = new Set<Unreached>();
  for (const kind of archives ? (["primary", "archive"] as const) : (["primary"] as const)) {
    const answer = await askFor(() => findMailboxOf(graph, userId, kind));
    if ("reason" in answer) reasons.add(answer.reason);
    else if (answer.found !== undefined) mailboxes.push(answer.found);
  }
  const isUnreached = reasons.size > 0;
  const isBare = mailboxes.length === 0 && !isUnreached;
  const leftOut = [...reasons, ...(isBare ? (["withoutMailbox"] as const) : [])];
  return { userId, mailboxes, leftOut: leftOut.map((reason) => ({ reason, user: userId })), isUnreached };
};

/**
 * Whether the app may read a mailbox: one request, without retries. Any other failure is left to the mailbox's own run,
 * which has the time to wait for its end.
 */
const probe = async (openGraph: OpenGraph, mailbox: MailboxRef): Promise<"ready" | "notPermitted"> => {
  try {
    await probeMailbox(openGraph({ untilMs: 0 }), mailbox);
  } catch (error) {
    if (isForbidden(error)) return "notPermitted";
    if (!(error instanceof GraphError || isBrokenAnswer(error))) throw error;
  }
  return "ready";
};

/** @throws {Error} when Graph answered for none of many users: that is an outage, and the page is tried again. */
const assertNoOutage = (found: readonly Found[]): void => {
  const isSilent = ({ mailboxes, leftOut }: Found): boolean =>
    mailboxes.length === 0 && leftOut.some(({ reason }) => reason === "unanswered");
  if (found.length > LOOKUPS && found.every(isSilent))
    throw new Error(`Graph has no answer for any of ${found.length} users`);
};

/** The mailboxes in the vault of these users: they are in scope, though Graph does not say which they have. */
const inVault = async (state: Blobs, users: readonly string[]) => {
  const known = await mapBounded(users, LOOKUPS, async (userId) =>
    (await mailboxesOfUser(state, userId)).map((key) => ({ key, userId })),
  );
  return known.flat();
};

const countLeftOut = (leftOut: readonly LeftOut[]) => {
  const of = (reason: LeftOutReason): LeftOut[] => leftOut.filter((each) => each.reason === reason);
  return {
    unknown: of("unknown").length,
    unanswered: of("unanswered").length,
    notPermitted: of("notPermitted").length,
    withoutMailbox: of("withoutMailbox").length,
    excluded: of("excluded").length,
    disabled: of("disabled").length,
    unlicensed: of("unlicensed").length,
    leftOut: LeftOutReason.options.flatMap(of).slice(0, MAX_LEFT_OUT),
  };
};
