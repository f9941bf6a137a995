import type { HttpHandler } from "@azure/functions";
import { noInput } from "../../shared/http/input.ts";
import { json } from "../../shared/http/problem.ts";
import { type MailboxSource, mailboxRoute } from "../../shared/mailbox-route.ts";
import { folderCount, type MailboxUser } from "../../shared/vault/manifest.ts";
import { listSnapshots, readManifest } from "../../shared/vault/snapshots.ts";

/**
 * GET /api/mailboxes/{mailbox}/snapshots
 *
 * 200 with the mailbox's snapshots, oldest first, and the person whom the newest names; 404 for a mailbox that is
 * neither in the directory nor in the vault.
 */
export const getSnapshots = (deps: MailboxSource): HttpHandler =>
  mailboxRoute(deps, noInput, async (mailbox) => {
    const snapshots = [];
    let user: MailboxUser | undefined;
    for await (const id of listSnapshots(deps.vault, mailbox.key)) {
      const found = await readManifest(deps.vault, mailbox.key, id);
      if (found === undefined) continue;
      user = found.manifest.user;
      const { started, finished, trigger, state, base, counts } = found.manifest;
      snapshots.push({ id, started, finished, trigger, state, base, counts, folders: folderCount(found.manifest) });
    }
    return json(200, { mailbox: mailbox.key, user, snapshots });
  });
