import type { ActivityHandler } from "durable-functions";
import { implement } from "../../shared/durable/activity.ts";
import type { OpenGraph } from "../../shared/graph/graph-client.ts";
import { GraphError } from "../../shared/graph/graph-error.ts";
import { findExport } from "../../shared/graph/personal-data.ts";
import { checkPersonalDataExport } from "./personal-data.contract.ts";

/** A request without an answer in this time is made again by the retry of the activity. */
const GRAPH_DEADLINE_MS = 30_000;

/** Asks Graph for the state of an export. Run twice, it asks twice. */
export const checkPersonalDataExportActivity = (deps: { readonly openGraph: OpenGraph }): ActivityHandler =>
  implement(checkPersonalDataExport, async ({ operationId }) => {
    try {
      return await findExport(deps.openGraph({ untilMs: Date.now() + GRAPH_DEADLINE_MS }), operationId);
    } catch (error) {
      if (!(error instanceof GraphError) || error.status !== 429) throw error;
      return {
        state: "limited" as const,
        ...(error.retryAfterMs === undefined ? {} : { retryAfterMs: error.retryAfterMs }),
      };
    }
  });
