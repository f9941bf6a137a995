import type { HttpHandler } from "@azure/functions";
import * as z from "zod";
import { json } from "../../shared/http/problem.ts";
import type { MailboxSource } from "../../shared/mailbox-route.ts";
import { folderCount } from "../../shared/vault/manifest.ts";
import { snapshotRoute } from "./snapshot-route.ts";

/**
 * GET /api/mailboxes/{mailbox}/snapshots/{id}
 *
 * 200 with the snapshot's manifest, without its delta links; 404 for a mailbox or snapshot that does not exist.
 * `sha256` is of the manifest itself: a caller who keeps it elsewhere can check that the history was not altered.
 */
export const getSnapshot = (deps: MailboxSource): HttpHandler =>
  snapshotRoute(deps, z.strictObject({}), ({ manifest, sha256 }) =>
    json(200, {
      id: manifest.id,
      mailbox: manifest.mailboxKey,
      kind: manifest.kind,
      user: manifest.user,
      started: manifest.started,
      finished: manifest.finished,
      trigger: manifest.trigger,
      state: manifest.state,
      base: manifest.base,
      parent: manifest.parent,
      counts: manifest.counts,
      folders: folderCount(manifest),
      parts: manifest.parts.length,
      program: manifest.program,
      sha256,
    }),
  );
