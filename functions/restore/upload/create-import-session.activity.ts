import type { ActivityHandler } from "durable-functions";
import type { RunId } from "../../../shared/contracts/ids.ts";
import { implementThroughOutages } from "../../../shared/durable/through-outages.ts";
import type { OpenGraph } from "../../../shared/graph/graph-client.ts";
import { openImportSession } from "../../../shared/graph/import-session.ts";
import type { Sealer } from "../../../shared/security/seal.ts";
import { createImportSession } from "../restore.contract.ts";

/** How long a session waits for Graph before the task hub takes over. */
const GRAPH_DEADLINE_MS = 60_000;

/** The purpose of a sealed import URL: it opens only for the restore that it was sealed for. */
export const sessionPurpose = (restoreId: RunId): string => `the import session of restore ${restoreId}`;

/** Opens an import session and seals its URL. Run twice, there are two sessions, of which one is used. */
export const createImportSessionActivity = (deps: {
  readonly openGraph: OpenGraph;
  readonly importHosts: readonly string[];
  readonly sealer: Sealer;
}): ActivityHandler =>
  implementThroughOutages(createImportSession, async ({ restoreId, mailbox }) => {
    const graph = deps.openGraph({ untilMs: Date.now() + GRAPH_DEADLINE_MS });
    const { url, expires } = await openImportSession(graph, mailbox, deps.importHosts);
    return { sealed: deps.sealer.seal(url, sessionPurpose(restoreId)), expires };
  });
