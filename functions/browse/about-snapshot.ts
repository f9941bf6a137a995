import type { HttpHandler, HttpRequest, HttpResponseInit } from "@azure/functions";
import type * as z from "zod";
import { SnapshotId } from "../../shared/contracts/ids.ts";
import type { MailboxRef } from "../../shared/contracts/mailbox.ts";
import type { OpenGraph } from "../../shared/graph/graph-client.ts";
import { problem } from "../../shared/http/problem.ts";
import { invalidQuery, readQuery } from "../../shared/http/query.ts";
import { findMailbox } from "../../shared/mailboxes.ts";
import { type Blobs, UnreadableBlobError } from "../../shared/storage/blobs.ts";
import { type PinnedManifest, readManifest } from "../../shared/vault/snapshots.ts";

/** How long a caller is kept waiting for the directory. */
const PATIENCE_MS = 10_000;

export interface ReadingDeps {
  readonly openGraph: OpenGraph;
  readonly vault: Blobs;
}

/** Who asks, and about which mailbox. */
interface Asked {
  readonly request: HttpRequest;
  readonly mailbox: MailboxRef;
}

/**
 * A handler for a route below `mailboxes/{mailbox}/snapshots/{id}`: `answer` gets the snapshot and the parameters of the
 * request. 400 names parameters that do not parse; 404 is for a mailbox or snapshot that does not exist; 500 names the
 * blob when the vault is damaged.
 */
export const aboutSnapshot =
  <Q extends z.ZodType>(
    { openGraph, vault }: ReadingDeps,
    Query: Q,
    answer: (
      snapshot: PinnedManifest,
      query: z.output<Q>,
      asked: Asked,
    ) => HttpResponseInit | Promise<HttpResponseInit>,
  ): HttpHandler =>
  async (request, context) => {
    const query = Query.safeParse(readQuery(request.query));
    if (!query.success) return invalidQuery(query.error);

    try {
      const graph = openGraph({ untilMs: Date.now() + PATIENCE_MS });
      const mailbox = await findMailbox(graph, vault, request.params["mailbox"] ?? "");
      if (mailbox === undefined) return problem(404, "mailbox-not-found", "There is no such mailbox.");

      const id = SnapshotId.safeParse(request.params["id"]);
      const snapshot = id.success ? await readManifest(vault, mailbox.key, id.data) : undefined;
      if (snapshot === undefined) return problem(404, "snapshot-not-found", "The mailbox has no such snapshot.");
      return await answer(snapshot, query.data, { request, mailbox });
    } catch (error) {
      if (!(error instanceof UnreadableBlobError)) throw error;
      context.error("The vault is damaged", error);
      return problem(500, "vault-damaged", `The vault is damaged: ${error.message}.`, { blob: error.blob });
    }
  };
