import type { ActivityHandler } from "durable-functions";
import type { OpenGraph } from "../../../shared/graph/graph-client.ts";
import { semaphore } from "../../../shared/graph/semaphore.ts";
import type { Blobs } from "../../../shared/storage/blobs.ts";
import { planRestore } from "../restore.contract.ts";
import { adoptRestorePlan } from "../restore-state.ts";
import { implementThroughOutages } from "../through-outages.ts";
import { expectedDuration } from "./expected-duration.ts";
import { makePlan } from "./make-plan.ts";

/** How long planning waits for Graph before the task hub takes over. */
const GRAPH_DEADLINE_MS = 120_000;

/** The mailbox's slots that a restore holds while it plans. */
const PLANNING_SLOTS = 1;

/** Creating a folder takes a request to look for it, and one to create it. */
const REQUESTS_PER_FOLDER = 2;

/**
 * Plans a restore, or adopts the plan of a dry run as it is, and returns what the restore will do and how long it
 * takes.
 *
 * Run twice, the plan that is finished first stands; the other's chunks are never read.
 */
export const planRestoreActivity = (deps: {
  readonly openGraph: OpenGraph;
  readonly vault: Blobs;
  readonly work: Blobs;
  readonly laneBudgetMs: number;
}): ActivityHandler =>
  implementThroughOutages(planRestore, async (input) => {
    const { openGraph, vault, work, laneBudgetMs } = deps;
    const { restoreId, planOf } = input;
    const graph = openGraph({ untilMs: Date.now() + GRAPH_DEADLINE_MS, slots: semaphore(PLANNING_SLOTS) });
    const plan =
      planOf === undefined
        ? await makePlan({ graph, vault, work }, input)
        : await adoptRestorePlan(work, restoreId, planOf, new Date().toISOString());

    const { items, present, replaced, bytes, bodyBytes, chunks, pages, secondsPerRequest, folders } = plan;
    const foldersToCreate = folders.filter(({ liveId }) => liveId === undefined).length;
    const sessions = items > 0 ? 1 : 0;
    const others = REQUESTS_PER_FOLDER * foldersToCreate + sessions + pages;
    return {
      items,
      present,
      replaced,
      bytes,
      chunks,
      folders: folders.length,
      foldersToCreate,
      requests: items + others,
      ...expectedDuration({ items, bodyBytes, others, secondsPerRequest }),
      secondsPerRequest,
      laneBudgetMs,
    };
  });
