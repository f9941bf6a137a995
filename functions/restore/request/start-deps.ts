import type { HttpRequest, InvocationContext } from "@azure/functions";
import type { DurableClient } from "durable-functions";
import type { AuditLog } from "../../../shared/audit/audit-log.ts";
import type { OpenGraph } from "../../../shared/graph/graph-client.ts";
import type { Start } from "../../../shared/http/start.ts";
import type { Principal } from "../../../shared/security/principal.ts";
import type { Blobs } from "../../../shared/storage/blobs.ts";
import type { Translator } from "../../id-translation/translator.ts";

/** What starting a restore needs: the caller, the audit log, and the task hub. */
export interface StartDeps {
  readonly client: Pick<DurableClient, "getStatus" | "startNew" | "raiseEvent">;
  readonly context: Pick<InvocationContext, "error">;
  readonly principal: Principal;
  readonly audit: AuditLog;
  readonly work: Blobs;
  readonly state: Blobs;
  /** What its jobs are named by. */
  readonly start: Start;
}

/** What looking up mailboxes, snapshots and items needs beside that. */
export interface ResolveDeps extends StartDeps {
  readonly openGraph: OpenGraph;
  readonly translator: Translator;
  /** The call: ids may have to be translated in its caller's name. */
  readonly request: HttpRequest;
  readonly vault: Blobs;
}
