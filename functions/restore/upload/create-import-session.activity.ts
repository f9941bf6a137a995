import type { ActivityHandler } from "durable-functions";
import { implement } from "../../../shared/durable/activity.ts";
import type { OpenGraph } from "../../../shared/graph/graph-client.ts";
import { openImportSession } from "../../../shared/graph/import-session.ts";
import type { Sealer } from "../../../shared/security/seal.ts";
import { createImportSession } from "../restore.contract.ts";
import { sessionPurpose } from "./session-purpose.ts";

/** How long a session waits for Graph before the task hub takes over. */
const GRAPH_DEADLINE_MS = 60_000;

/** Opens an import session and seals its URL. Run twice, there are two sessions, of which one is used. */
export const createImportSessionActivity = (deps: {
  readonly openGraph: OpenGraph;
  readonly importHosts: readonly string[];
  readonly sealer: Sealer;
}): ActivityHandler =>
  implement(createImportSession, async ({ restoreId, mailbox }) => {
    const graph = deps.openGraph({ untilMs: Date.now() + GRAPH_DEADLINE_MS });
    const { url, expires } = await openImportSession(graph, mailbox, deps.importHosts);
    return { sealed: deps.sealer.seal(url, sessionPurpose(restoreId)), expires };
  });
