import type { HttpRequest, HttpResponseInit } from "@azure/functions";
import type { VaultAuditLog } from "../../shared/audit/audit-log.ts";
import type { OpenGraph } from "../../shared/graph/graph-client.ts";
import { problem } from "../../shared/http/problem.ts";
import { findMailbox } from "../../shared/mailboxes.ts";
import type { Blobs } from "../../shared/storage/blobs.ts";
import type { Head } from "../../shared/vault/head.ts";
import { readHead } from "../../shared/vault/snapshots.ts";

/** How long a caller is kept waiting for the directory. */
const PATIENCE_MS = 10_000;

export interface HoldDeps {
  readonly openGraph: OpenGraph;
  readonly vault: Blobs;
  readonly audit: VaultAuditLog;
}

/** The head of the mailbox that a request is about; 404 when there is no such mailbox, 409 when it has no head. */
export const heldMailbox = async (
  { openGraph, vault }: HoldDeps,
  request: HttpRequest,
): Promise<Head | HttpResponseInit> => {
  const graph = openGraph({ untilMs: Date.now() + PATIENCE_MS });
  const mailbox = await findMailbox(graph, vault, request.params["mailbox"] ?? "");
  if (mailbox === undefined) return problem(404, "mailbox-not-found", "There is no such mailbox.");
  const head = await readHead(vault, mailbox.key);
  return head ?? problem(409, "never-backed-up", "The mailbox was never backed up: there is nothing yet to hold.");
};

export const isHead = (answer: Head | HttpResponseInit): answer is Head => "mailboxKey" in answer;
