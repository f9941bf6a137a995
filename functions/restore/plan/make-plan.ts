import type * as z from "zod";
import { PAGE_ITEMS } from "../../../shared/contracts/limits.ts";
import type { Blobs } from "../../../shared/storage/blobs.ts";
import { goOnFromCheckpoint, openCheckpoints, removeCheckpoints } from "../paging/checkpoints.ts";
import type { Step } from "../paging/one-step.ts";
import type { planRestore } from "../restore.contract.ts";
import { findRestorePlan, keepRestorePlan, type RestorePlanState, type TargetFolder } from "../restore-state.ts";
import { indexIn, planStages } from "./plan-stages.ts";
import { PlanState, readFolders, readSurvey } from "./plan-state.ts";
import { timeRequests } from "./time-requests.ts";

type Input = z.output<typeof planRestore.input>;

interface PlanDeps {
  readonly vault: Blobs;
  readonly work: Blobs;
}

/**
 * Goes on with planning a restore: the folders it needs, and the items to import, newest first. `onConflict` decides
 * about an item with a live copy in its target folder: leave it out, import it all the same, or replace the copy if it
 * differs. Of a plan that was reviewed, what has a copy by now is left out.
 *
 * Returns `undefined` when the step ends before the plan is made. All that grows with a mailbox lies in scratch data,
 * sorted in runs, and is matched by merging them.
 */
export const goOnPlanning = async (
  { vault, work }: PlanDeps,
  input: Input,
  step: Step,
  started: () => string,
): Promise<RestorePlanState | undefined> => {
  const { restoreId, mailbox, into = mailbox } = input;
  const found = await findRestorePlan(work, restoreId);
  if (found !== undefined) {
    // One that died after its plan may have left some.
    await removeCheckpoints(work, restoreId, "planning");
    return found;
  }
  const its = { restoreId, kind: "planning", ...(step.tenure !== undefined && { tenure: step.tenure }) } as const;
  const checkpoints = await openCheckpoints(work, its, PlanState);
  const stages = planStages({ vault, work }, input, step);
  const state = await goOnFromCheckpoint(checkpoints, stages, step.isOver);
  if (state === undefined) return undefined;

  const { live, selected } = await readSurvey(work, state.data, restoreId);
  const folders = await readFolders(work, state.data, restoreId);
  const indexOf = indexIn(selected);
  const countIn = (counts: Readonly<Record<string, number>>, { sourceId }: TargetFolder): number =>
    counts[indexOf(sourceId)] ?? 0;
  const before = new Map(live.map(({ id, itemCount }) => [id, itemCount]));
  const after = folders.map((folder) => (before.get(folder.liveId ?? "") ?? 0) + countIn(state.arrivingIn, folder));
  const { items, present, replaced, bytes, bodyBytes, chunks, generation } = state;
  const secondsPerRequest = await timeRequests(step.graph, into);
  const plan = await keepRestorePlan(work, restoreId, {
    ...{ items, present, replaced, bytes, bodyBytes, chunks, generation },
    started: started(),
    onConflict: input.onConflict ?? "skip",
    pages: pagesFor(after),
    secondsPerRequest,
    folders: folders.map((folder) => ({ ...folder, present: countIn(state.presentIn, folder) })),
  });
  await removeCheckpoints(work, restoreId, "planning");
  return plan;
};

/** Pages of a listing of folders with so many items: at least one for each. */
const pagesFor = (itemCounts: readonly number[]): number =>
  itemCounts.reduce((pages, items) => pages + Math.max(1, Math.ceil(items / PAGE_ITEMS)), 0);
