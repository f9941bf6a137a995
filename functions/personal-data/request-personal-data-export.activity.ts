import type { ActivityHandler } from "durable-functions";
import { implement } from "../../shared/durable/activity.ts";
import type { OpenGraph } from "../../shared/graph/graph-client.ts";
import { requestExport } from "../../shared/graph/personal-data.ts";
import type { Blobs } from "../../shared/storage/blobs.ts";
import { packageName } from "./package-names.ts";
import type { Packages } from "./packages.ts";
import { requestPersonalDataExport } from "./personal-data.contract.ts";
import { type Accepted, findAccepted, keepAccepted } from "./personal-data-state.ts";

/**
 * Creates a new container and asks Graph to export a person's data into it. The URL with which Microsoft writes there
 * is made, sent and forgotten here.
 *
 * Run twice, it never leaves two exports running. Graph accepts a container once: a second request for it is the first
 * to arrive, or the outcome is `unanswered`. The next attempt then removes that container before it asks for another,
 * so that an export into it cannot write any more.
 */
export const requestPersonalDataExportActivity = (deps: {
  readonly openGraph: OpenGraph;
  readonly packages: Packages;
  readonly work: Blobs;
}): ActivityHandler =>
  implement(requestPersonalDataExport, async ({ exportId, userId, attempt }) => {
    const { openGraph, packages, work } = deps;
    const late = attempt === 1 ? undefined : await findAccepted(work, { exportId, attempt: attempt - 1 });
    if (late !== undefined) return accepted(attempt - 1, late);
    const earlier = await findAccepted(work, { exportId, attempt });
    if (earlier !== undefined) return accepted(attempt, earlier);

    if (attempt > 1) await packages.remove(packageName(exportId, attempt - 1));
    const name = packageName(exportId, attempt);
    await packages.make(name);
    const graph = openGraph({ untilMs: 0, repeatable: false });
    const answer = await requestExport(graph, userId, await packages.writeOnlyUrl(name));
    if (answer.outcome === "accepted") {
      const { outcome: _, ...operation } = answer;
      return accepted(attempt, await keepAccepted(work, { exportId, attempt }, operation));
    }
    if (answer.outcome !== "used") return answer;
    const meanwhile = await findAccepted(work, { exportId, attempt });
    return meanwhile === undefined ? { outcome: "unanswered" as const } : accepted(attempt, meanwhile);
  });

const accepted = (attempt: number, operation: Accepted) => ({ outcome: "accepted" as const, attempt, ...operation });
