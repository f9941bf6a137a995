import type { ActivityHandler } from "durable-functions";
import { planChanges } from "../../shared/contracts/backup.ts";
import { implement } from "../../shared/durable/activity.ts";
import type { OpenGraph } from "../../shared/graph/graph-client.ts";
import { GraphError } from "../../shared/graph/graph-error.ts";
import type { Blobs } from "../../shared/vault/blobs.ts";
import { type Chunk, findChunk, keepChunk, keepFindings, readChunk, readRun } from "../../shared/work/run-state.ts";
import { catalogueOf, emptyCatalogue } from "./catalogue.ts";
import { cursorAt, planner } from "./planner.ts";

/** A lane with a short budget still waits out a passing fault: a retry by the task hub would take longer. */
const LEAST_PATIENCE_MS = 30_000;

/**
 * Plans chunks until there are enough, time is up, or nothing is left to plan.
 *
 * Run twice, even at the same time, both follow one chain of chunks: each chunk is created once and says how to go on.
 */
export const planChangesActivity = (deps: {
  readonly openGraph: OpenGraph;
  readonly vault: Blobs;
  readonly work: Blobs;
}): ActivityHandler =>
  implement(planChanges, async ({ mailbox, runId, fromChunk, mostChunks, budgetMs }) => {
    const { vault, work } = deps;
    const started = Date.now();
    const deadline = started + budgetMs;
    let throttled = 0;
    const graph = deps.openGraph({
      untilMs: Math.max(deadline, started + LEAST_PATIENCE_MS),
      throttled: () => {
        throttled += 1;
      },
    });
    const { folders, parent } = await readRun(work, runId);
    const catalogue = parent === null ? emptyCatalogue : catalogueOf(vault, mailbox.key, parent.id);
    const plan = planner(graph, work, catalogue, { mailbox, runId, folders });

    const chunks: Chunk[] = [];
    let waitMs = 0;
    let cursor = fromChunk === 0 ? cursorAt(folders, 0, 0) : (await readChunk(work, runId, fromChunk - 1)).next;
    while (cursor !== undefined && chunks.length < mostChunks && (chunks.length === 0 || Date.now() < deadline)) {
      const number = fromChunk + chunks.length;
      try {
        const chunk: Chunk =
          (await findChunk(work, runId, number)) ??
          (await keepChunk(work, runId, number, await plan(cursor, number, deadline)));
        chunks.push(chunk);
        cursor = chunk.next;
      } catch (error) {
        if (!(error instanceof GraphError) || error.status !== 429) throw error;
        waitMs = error.retryAfterMs ?? 0;
        break;
      }
    }

    if (chunks.length > 0)
      await keepFindings(work, runId, { from: fromChunk, to: fromChunk + chunks.length - 1 }, chunks);
    return {
      chunks: chunks.map(({ batches }) => batches.length),
      items: chunks.reduce((sum, { batches }) => sum + batches.flat().length, 0),
      removed: chunks.reduce((sum, { departed, returned }) => sum + departed.length - returned.length, 0),
      done: cursor === undefined,
      elapsedMs: Date.now() - started,
      throttled,
      waitMs,
    };
  });
