import type { EventGridHandler } from "@azure/functions";
import { leaverInstance } from "../../shared/contracts/job-ids.ts";
import type { MailboxRef } from "../../shared/contracts/mailbox.ts";
import type { ClientOf } from "../../shared/durable/client.ts";
import { startOnce } from "../../shared/durable/start-once.ts";
import { readGridEvent, userOf } from "../../shared/events/grid-event.ts";
import { findUser } from "../../shared/graph/directory.ts";
import type { OpenGraph } from "../../shared/graph/graph-client.ts";
import type { Blobs } from "../../shared/storage/blobs.ts";
import { hashName } from "../../shared/vault/mailbox-key.ts";
import { readHead } from "../../shared/vault/snapshots.ts";
import { mailboxesOfUser } from "../backup/discover/mailboxes-of-user.ts";
import type { ProtectLeaverInput } from "./leaver.contract.ts";
import { isHeldForLeaver } from "./leaver-hold.ts";

/**
 * A soft deletion comes as an update. Source: learn.microsoft.com/azure/event-grid/microsoft-entra-events (read
 * 2026-11).
 */
const TYPES: readonly string[] = ["Microsoft.Graph.UserUpdated", "Microsoft.Graph.UserDeleted"];

/** How long an event waits for the directory. After that it fails, and Event Grid delivers it again. */
const GRAPH_DEADLINE_MS = 5_000;

/**
 * Event Grid: a user changed. Looks the user up in the directory, and trusts nothing else in the event. A user who may
 * not sign in any more, or is not in the directory any more, is a leaver. Starts the protection of those mailboxes of
 * theirs that are in the vault and not held for a leaver already. A mailbox that was never backed up may be out of
 * scope, and is left alone.
 *
 * Delivered twice or out of order, it acts on the directory and the holds as they are now. An event that no retry cures
 * is logged and acknowledged; other failures are thrown, and Event Grid delivers again.
 */
export const userChanged =
  (deps: {
    readonly clientOf: ClientOf;
    readonly openGraph: OpenGraph;
    readonly vault: Blobs;
    readonly state: Blobs;
    /** Users, by id or principal name, who are never backed up. */
    readonly exclude: readonly string[];
  }): EventGridHandler<unknown> =>
  async (raw, context) => {
    const event = readGridEvent(raw);
    if (event === undefined) return context.warn("An event of an unknown schema is ignored.");
    if (!TYPES.includes(event.type)) return context.debug("An event of another type is ignored.");
    const userId = userOf(event);
    if (userId === undefined) return context.warn("An event that is not about a user of the directory is ignored.");

    const user = await findUser(deps.openGraph({ untilMs: Date.now() + GRAPH_DEADLINE_MS }), userId);
    if (user !== undefined && user.accountEnabled !== false) return context.debug("A user who stays is left alone.");
    const names = [userId, user?.userPrincipalName?.toLowerCase()];
    if (deps.exclude.some((name) => names.includes(name.toLowerCase())))
      return context.debug("A user who is never backed up is left alone.");
    const mailboxes = await unprotected(deps, userId);
    if (mailboxes.length === 0) return context.debug("A leaver without a mailbox to protect is left alone.");

    const instanceId = leaverInstance(hashName(userId));
    const input: ProtectLeaverInput = { mailboxes };
    await startOnce(deps.clientOf(context), "protect-leaver", { instanceId, input });
  };

/** The user's mailboxes that are in the vault and not held for a leaver. */
const unprotected = async (
  { vault, state }: { readonly vault: Blobs; readonly state: Blobs },
  userId: string,
): Promise<MailboxRef[]> => {
  const mailboxes: MailboxRef[] = [];
  for (const key of await mailboxesOfUser(state, userId)) {
    const head = await readHead(vault, key);
    const isTheirs = head?.user?.id.toLowerCase() === userId;
    if (head === undefined || !isTheirs || isHeldForLeaver(head, Date.now())) continue;
    mailboxes.push({ key, id: head.mailboxId, kind: head.kind, userId: head.user?.id ?? userId });
  }
  return mailboxes;
};
