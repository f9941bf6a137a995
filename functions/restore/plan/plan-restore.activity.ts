import type { ActivityHandler } from "durable-functions";
import type * as z from "zod";
import type { RunId } from "../../../shared/contracts/ids.ts";
import { implementThroughOutages } from "../../../shared/durable/through-outages.ts";
import { probeMailbox } from "../../../shared/graph/folders.ts";
import type { OpenGraph } from "../../../shared/graph/graph-client.ts";
import { semaphore } from "../../../shared/graph/semaphore.ts";
import { serverClock } from "../../../shared/graph/server-clock.ts";
import type { Blobs } from "../../../shared/storage/blobs.ts";
import { whileWatched } from "../../jobs/watch-wish.ts";
import type { Held } from "../../slots/while-renewed.ts";
import { planRestore, type RestorePlan } from "../restore.contract.ts";
import { adoptRestorePlan, type RestorePlanState } from "../restore-state.ts";
import { onlyUnderLease } from "../target/under-lease.ts";
import { expectedDuration } from "./expected-duration.ts";
import { makePlan } from "./make-plan.ts";
import { isMatchedAgain } from "./reviewed-items.ts";

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
  readonly state: Blobs;
  /** How long the mailbox and slots are held without being renewed. */
  readonly holdMs?: number | undefined;
  readonly laneBudgetMs: number;
}

type Input = z.output<typeof planRestore.input>;

/**
 * Plans a restore, or adopts the plan of a dry run, which is matched with the target again where that may change it.
 * Returns what the restore will do and how long it takes.
 *
 * Told to pause or to end, it asks Graph nothing more, and leaves no plan: the next one begins anew.
 *
 * Run twice, the plan that is finished first stands; the other's chunks are never read.
 */
export const planRestoreActivity = (deps: Deps): ActivityHandler =>
  implementThroughOutages(planRestore, (input) => {
    const { restoreId, into, mailbox, exclusive, jobs = [] } = input;
    const leased = { restoreId, mailbox: into ?? mailbox, exclusive };
    return onlyUnderLease(
      deps.work,
      leased,
      (lease) => whileWatched(deps.state, jobs, (told) => planIt(deps, input, { ...lease, told })),
      deps.holdMs,
    );
  });

const planIt = async (
  deps: Deps,
  input: Input,
  { isHeld, told }: Held & { readonly told: AbortSignal },
): Promise<RestorePlan> => {
  const { openGraph, vault, work, laneBudgetMs } = deps;
  const { restoreId, planOf } = input;
  const clock = serverClock();
  const untilMs = Date.now() + GRAPH_DEADLINE_MS;
  const graph = openGraph({ untilMs, slots: semaphore(PLANNING_SLOTS), isHeld, stopping: told, answered: clock.note });
  const now = (): string => new Date(clock.now() ?? Date.now()).toISOString();
  const adopt = async (dryRun: RunId): Promise<RestorePlanState> => {
    await probeMailbox(graph, input.into ?? input.mailbox);
    return adoptRestorePlan(work, restoreId, dryRun, now());
  };
  const plan =
    planOf === undefined || isMatchedAgain(input)
      ? await makePlan({ graph, vault, work }, input, now)
      : await adopt(planOf);

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
