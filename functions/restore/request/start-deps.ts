import type { HttpRequest, InvocationContext } from "@azure/functions";
import type { DurableClient } from "durable-functions";
import type { AuditLog } from "../../../shared/audit/audit-log.ts";
import type { OpenGraph } from "../../../shared/graph/graph-client.ts";
import type { Principal } from "../../../shared/security/principal.ts";
import type { Blobs } from "../../../shared/storage/blobs.ts";
import type { Translator } from "../../id-translation/translator.ts";

/** What starting a restore takes: who asks, where it is written down, and where it runs. */
export interface StartDeps {
  readonly client: Pick<DurableClient, "getStatus" | "startNew">;
  readonly context: Pick<InvocationContext, "error">;
  readonly principal: Principal;
  readonly audit: AuditLog;
  readonly work: Blobs;
}

/** And what finding out takes what is to be restored. */
export interface ResolveDeps extends StartDeps {
  readonly openGraph: OpenGraph;
  readonly translator: Translator;
  /** The call, in whose name ids may have to be translated. */
  readonly request: HttpRequest;
  readonly vault: Blobs;
}
