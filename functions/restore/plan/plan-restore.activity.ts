import type { ActivityHandler } from "durable-functions";
import type * as z from "zod";
import { implement } from "../../../shared/durable/activity.ts";
import type { OpenGraph } from "../../../shared/graph/graph-client.ts";
import { semaphore } from "../../../shared/graph/semaphore.ts";
import type { Blobs } from "../../../shared/storage/blobs.ts";
import type { Held } from "../../slots/while-renewed.ts";
import { planRestore, type RestorePlan } from "../restore.contract.ts";
import { adoptRestorePlan } from "../restore-state.ts";
import { onlyUnderLease } from "../target/under-lease.ts";
import { expectedDuration } from "./expected-duration.ts";
import { makePlan } from "./make-plan.ts";

/** How long planning waits for Graph before the task hub takes over. */
const GRAPH_DEADLINE_MS = 120_000;

/** The mailbox's slots that a restore holds while it plans. */
const PLANNING_SLOTS = 1;

/** Creating a folder takes a request to look for it, and one to create it. */
const REQUESTS_PER_FOLDER = 2;

interface Deps {
  readonly openGraph: OpenGraph;
  readonly vault: Blobs;
  readonly work: Blobs;
  readonly laneBudgetMs: number;
}

type Input = z.output<typeof planRestore.input>;

/**
 * Plans a restore, or adopts the plan of a dry run as it is, and returns what the restore will do and how long it
 * takes.
 *
 * Run twice, the plan that is finished first stands; the other's chunks are never read.
 */
export const planRestoreActivity = (deps: Deps): ActivityHandler =>
  implement(planRestore, (input) => {
    const { restoreId, into, mailbox, exclusive } = input;
    return onlyUnderLease(deps.work, { restoreId, mailbox: into ?? mailbox, exclusive }, (lease) =>
      planIt(deps, input, lease),
    );
  });

const planIt = async (deps: Deps, input: Input, { isHeld }: Held): Promise<RestorePlan> => {
  const { openGraph, vault, work, laneBudgetMs } = deps;
  const { restoreId, planOf } = input;
  const graph = openGraph({ untilMs: Date.now() + GRAPH_DEADLINE_MS, slots: semaphore(PLANNING_SLOTS), isHeld });
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
};
