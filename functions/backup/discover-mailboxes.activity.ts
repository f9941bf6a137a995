import type { ActivityHandler } from "durable-functions";
import { mapBounded } from "../../shared/bounded.ts";
import { discoverMailboxes } from "../../shared/contracts/backup.ts";
import type { MailboxRef } from "../../shared/contracts/mailbox.ts";
import { implement } from "../../shared/durable/activity.ts";
import type { ClientOf } from "../../shared/durable/client.ts";
import { findInstance, isAlive } from "../../shared/durable/start-once.ts";
import { type DirectoryUser, findMailboxId, findUser, usersPage } from "../../shared/graph/directory.ts";
import type { GraphClient, OpenGraph } from "../../shared/graph/graph-client.ts";
import { backupInstance } from "../../shared/ids.ts";
import type { Blobs } from "../../shared/vault/blobs.ts";
import { mailboxKey } from "../../shared/vault/mailbox-key.ts";
import { addMailboxes } from "../../shared/work/mailbox-queue.ts";

/** How long one page waits for Graph before the task hub takes over. */
const PATIENCE_MS = 120_000;

/** Directory look-ups under way at once: well below what the smallest tenant is allowed (3,500 units in 10 s). */
const LOOKUPS = 8;

interface UsersPage {
  readonly users: readonly DirectoryUser[];
  readonly next: string | undefined;
}

/**
 * Queues one page of the mailboxes to back up. Users without a mailbox are counted; a mailbox whose backup is still alive
 * is left out and counted as busy. Run twice, the page that was queued first stands.
 */
export const discoverMailboxesActivity = (deps: {
  readonly openGraph: OpenGraph;
  readonly scope: "licensed" | readonly string[];
  readonly clientOf: ClientOf;
  readonly work: Blobs;
}): ActivityHandler =>
  implement(discoverMailboxes, async ({ tenantRun, only, start, next }, context) => {
    const graph = deps.openGraph({ untilMs: Date.now() + PATIENCE_MS });
    const client = deps.clientOf(context);
    const scope = only ?? deps.scope;
    const page = scope === "licensed" ? await licensedUsers(graph, next) : await listedUsers(graph, scope);
    const found = await mapBounded(page.users, LOOKUPS, (user) => mailboxOf(graph, user));
    const mailboxes = found.filter((mailbox) => mailbox !== undefined);
    const alive = await mapBounded(mailboxes, LOOKUPS, async ({ key }) =>
      isAlive(await findInstance(client, backupInstance(key))),
    );
    const idle = mailboxes.filter((_, index) => !alive[index]);
    return {
      mailboxes: (await addMailboxes(deps.work, tenantRun, start, idle)).length,
      withoutMailbox: found.length - mailboxes.length,
      busy: mailboxes.length - idle.length,
      next: page.next,
    };
  });

const licensedUsers = async (graph: GraphClient, link: string | undefined): Promise<UsersPage> => {
  const { value, nextLink } = await usersPage(graph, link);
  return { users: value.filter((user) => (user.assignedLicenses ?? []).length > 0), next: nextLink };
};

/** A user who is named and does not exist is a mistake in the settings, which the log must show. */
const listedUsers = async (graph: GraphClient, names: readonly string[]): Promise<UsersPage> => {
  const users = await mapBounded(names, LOOKUPS, async (name) => {
    const user = await findUser(graph, name);
    if (user === undefined)
      throw new Error(`A user in the backup's scope does not exist (entry ${names.indexOf(name) + 1})`);
    return user;
  });
  return { users, next: undefined };
};

const mailboxOf = async (graph: GraphClient, { id: userId }: DirectoryUser): Promise<MailboxRef | undefined> => {
  const id = await findMailboxId(graph, userId);
  return id === undefined ? undefined : { key: mailboxKey(id), id, kind: "primary", userId };
};
