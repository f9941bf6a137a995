import type { HttpHandler } from "@azure/functions";
import type { OpenGraph } from "../../shared/graph/graph-client.ts";
import { json, problem } from "../../shared/http/problem.ts";
import { findMailbox } from "../../shared/mailboxes.ts";
import type { Blobs } from "../../shared/storage/blobs.ts";
import { listSnapshots, readManifest } from "../../shared/vault/snapshots.ts";

/** How long a caller is kept waiting for the directory. */
const PATIENCE_MS = 10_000;

/**
 * GET /api/mailboxes/{mailbox}/snapshots
 *
 * 200 with the mailbox's snapshots, oldest first; 404 for a mailbox that neither the directory nor the vault knows.
 */
export const getSnapshots =
  (deps: { readonly openGraph: OpenGraph; readonly vault: Blobs }): HttpHandler =>
  async (request) => {
    const graph = deps.openGraph({ untilMs: Date.now() + PATIENCE_MS });
    const mailbox = await findMailbox(graph, deps.vault, request.params["mailbox"] ?? "");
    if (mailbox === undefined) return problem(404, "mailbox-not-found", "There is no such mailbox.");

    const snapshots = [];
    for await (const id of listSnapshots(deps.vault, mailbox.key)) {
      const found = await readManifest(deps.vault, mailbox.key, id);
      if (found === undefined) continue;
      const { started, finished, trigger, state, base, counts, folders } = found.manifest;
      snapshots.push({ id, started, finished, trigger, state, base, counts, folders: folders.length });
    }
    return json(200, { mailbox: mailbox.key, snapshots });
  };
