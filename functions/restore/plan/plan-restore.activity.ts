import type { ActivityHandler } from "durable-functions";
import type * as z from "zod";
import type { RunId } from "../../../shared/contracts/ids.ts";
import { implementThroughOutages } from "../../../shared/durable/through-outages.ts";
import { probeMailbox } from "../../../shared/graph/folders.ts";
import type { Blobs } from "../../../shared/storage/blobs.ts";
import { oneStep, type Step, type StepDeps } from "../paging/one-step.ts";
import { planRestore, type RestorePlan } from "../restore.contract.ts";
import { adoptRestorePlan, type RestorePlanState } from "../restore-state.ts";
import { expectedDuration } from "./expected-duration.ts";
import { goOnPlanning } from "./make-plan.ts";
import { isMatchedAgain } from "./reviewed-items.ts";

/** Creating a folder takes a request to look for it, and one to create it. */
const REQUESTS_PER_FOLDER = 2;

interface Deps extends StepDeps {
  readonly vault: Blobs;
}

type Input = z.output<typeof planRestore.input>;

/**
 * One step of planning a restore, from where the last one came to; or adopts the plan of a dry run, which is matched
 * with the target again where that may change it. The last step returns what the restore will do and how long it takes.
 *
 * Told to pause or to end, it asks Graph nothing more. A restore that has lost its mailbox meanwhile plans anew.
 *
 * Run twice, the plan that is finished first stands; the other's chunks are never read.
 */
export const planRestoreActivity = (deps: Deps): ActivityHandler =>
  implementThroughOutages(planRestore, (input) =>
    oneStep(deps, { ...input, mailbox: input.into ?? input.mailbox }, ["pause", "cancel"], async (step) => {
      const plan = await planIn(deps, input, step);
      return plan && summaryOf(plan, deps.laneBudgetMs);
    }),
  );

const planIn = async (deps: Deps, input: Input, step: Step): Promise<RestorePlanState | undefined> => {
  const { restoreId, planOf } = input;
  const { graph, clock } = step;
  const now = (): string => new Date(clock.now() ?? Date.now()).toISOString();
  const adopt = async (dryRun: RunId): Promise<RestorePlanState> => {
    await probeMailbox(graph, input.into ?? input.mailbox);
    return adoptRestorePlan(deps.work, restoreId, dryRun, now());
  };
  return planOf === undefined || isMatchedAgain(input) ? goOnPlanning(deps, input, step, now) : adopt(planOf);
};

const summaryOf = (plan: RestorePlanState, laneBudgetMs: number): RestorePlan => {
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
