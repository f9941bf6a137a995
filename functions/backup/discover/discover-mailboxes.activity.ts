import type { ActivityHandler } from "durable-functions";
import type { BackupScope } from "../../../shared/backup-scope.ts";
import { mapBounded } from "../../../shared/bounded.ts";
import { backupInstance } from "../../../shared/contracts/job-ids.ts";
import { implement } from "../../../shared/durable/activity.ts";
import type { ClientOf } from "../../../shared/durable/client.ts";
import { findInstance, isAlive } from "../../../shared/durable/start-once.ts";
import type { OpenGraph } from "../../../shared/graph/graph-client.ts";
import { mailboxesOf } from "../../../shared/mailboxes.ts";
import type { Blobs } from "../../../shared/storage/blobs.ts";
import { discoverMailboxes, type LeftOut, LeftOutReason, MAX_LEFT_OUT } from "../backup.contract.ts";
import { addMailboxes } from "./mailbox-queue.ts";
import { closeScope, keepScopePage } from "./scope-state.ts";
import { LOOKUPS, usersInScope } from "./users-in-scope.ts";

/** How long one page waits for Graph before the activity fails and is tried again. */
const GRAPH_DEADLINE_MS = 120_000;

/**
 * Queues one page of the mailboxes to back up, and counts who is left out and why. A mailbox whose backup is still
 * running is left out and counted as busy. A discovery of the whole scope is stored, so that the coverage shows
 * mailboxes in scope that were never backed up. Run twice, the page that was queued first is kept.
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
    const page = await usersInScope(graph, only ?? deps.scope, deps.exclude, next);
    const found = await mapBounded(page.users, LOOKUPS, ({ id }) => mailboxesOf(graph, id, deps));
    const mailboxes = found.flat();
    if (only === undefined) {
      await keepScopePage(deps.state, tenantRun, number, mailboxes);
      if (page.next === undefined) await closeScope(deps.state, tenantRun);
    }
    const alive = await mapBounded(mailboxes, LOOKUPS, async ({ key }) =>
      isAlive(await findInstance(client, backupInstance(key))),
    );
    const idle = mailboxes.filter((_, index) => !alive[index]);
    const bare = page.users.filter((_, index) => found[index]?.length === 0);
    return {
      mailboxes: (await addMailboxes(deps.work, tenantRun, { page: number, start }, idle)).length,
      busy: mailboxes.length - idle.length,
      ...countLeftOut([...page.leftOut, ...bare.map(({ id }) => ({ reason: "withoutMailbox" as const, user: id }))]),
      next: page.next,
    };
  });

const countLeftOut = (leftOut: readonly LeftOut[]) => {
  const of = (reason: LeftOutReason): LeftOut[] => leftOut.filter((each) => each.reason === reason);
  return {
    unknown: of("unknown").length,
    withoutMailbox: of("withoutMailbox").length,
    excluded: of("excluded").length,
    disabled: of("disabled").length,
    unlicensed: of("unlicensed").length,
    leftOut: LeftOutReason.options.flatMap(of).slice(0, MAX_LEFT_OUT),
  };
};
