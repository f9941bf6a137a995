import type { HttpHandler, HttpRequest, HttpResponseInit } from "@azure/functions";
import type * as z from "zod";
import { SnapshotId } from "../../shared/contracts/ids.ts";
import type { MailboxRef } from "../../shared/contracts/mailbox.ts";
import { queryOf } from "../../shared/http/input.ts";
import { problemResponse } from "../../shared/http/problem.ts";
import { type MailboxSource, mailboxRoute } from "../../shared/mailbox-route.ts";
import { type PinnedManifest, readManifest } from "../../shared/vault/snapshots.ts";

/** A request to a route below `mailboxes/{mailbox}/snapshots/{id}`. */
interface SnapshotRequest {
  readonly request: HttpRequest;
  readonly mailbox: MailboxRef;
}

/**
 * The handler of a route below `mailboxes/{mailbox}/snapshots/{id}`. 400 names parameters that do not parse; 404 is for
 * a mailbox or snapshot that does not exist; 500 names the blob when the vault is damaged.
 */
export const snapshotRoute = <Q extends z.ZodType>(
  source: MailboxSource,
  Query: Q,
  answer: (
    snapshot: PinnedManifest,
    query: z.output<Q>,
    request: SnapshotRequest,
  ) => HttpResponseInit | Promise<HttpResponseInit>,
): HttpHandler =>
  mailboxRoute(source, queryOf(Query), async (mailbox, { input, request }) => {
    const id = SnapshotId.safeParse(request.params["id"]);
    const snapshot = id.success ? await readManifest(source.vault, mailbox.key, id.data) : undefined;
    if (snapshot === undefined) return problemResponse(404, "snapshot-not-found", "The mailbox has no such snapshot.");
    return answer(snapshot, input, { request, mailbox });
  });
