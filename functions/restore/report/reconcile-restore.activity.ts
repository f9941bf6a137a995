import type { ActivityHandler } from "durable-functions";
import type * as z from "zod";
import type { ClientOf } from "../../../shared/durable/client.ts";
import { implementThroughOutages } from "../../../shared/durable/through-outages.ts";
import { goOnFromCheckpoint, openCheckpoints, removeCheckpoints } from "../paging/checkpoints.ts";
import { oneStep, type Step, type StepDeps } from "../paging/one-step.ts";
import { eachInOrder } from "../paging/sorted-runs.ts";
import { type RestoreResult, reconcileRestore } from "../restore.contract.ts";
import { findFolderMap, findRestorePlan, RestorePlanState } from "../restore-state.ts";
import { passTarget } from "../target/pass-target.ts";
import { keepVersions } from "../undo/imported-versions.ts";
import type { Ledgers } from "../upload/ledger.ts";
import { type Compared, comparisonStages } from "./comparison-stages.ts";
import { ComparisonState, Row, Version } from "./comparison-state.ts";
import { folderReports } from "./folder-reports.ts";
import { findRestoreReport, type ItemReport, keepRestoreReport } from "./restore-report.ts";

interface Deps extends StepDeps {
  readonly clientOf: ClientOf;
  readonly ledgers: Ledgers;
}

type Input = z.output<typeof reconcileRestore.input>;

/**
 * One step of the comparison at a restore's end, from where the last one came to: lists the target again, and compares
 * it with the plan and the ledgers. The last step writes the report, and leaves the mailbox to the next restore. An
 * imported item counts as missing when neither its id nor a copy of it is found, and when somebody deleted its folder.
 * Copies beyond those that were to be made are surplus. Where the mailbox could not be looked at, the ledgers alone are
 * believed.
 *
 * Only reads the mailbox, so it needs no lease, and goes on when it is told to end: every restore reports. Run twice,
 * the first report stands.
 */
export const reconcileRestoreActivity = (deps: Deps): ActivityHandler =>
  implementThroughOutages(reconcileRestore, (input, context) => {
    const { restoreId, mailbox } = input;
    return oneStep(deps, { ...input, exclusive: undefined }, ["pause"], async (step) => {
      const counts = await compareIn(deps, input, step);
      const freed = { work: deps.work, client: deps.clientOf(context), mailboxKey: mailbox.key, restoreId };
      if (counts !== undefined) await passTarget(freed);
      return counts;
    });
  });

const compareIn = async ({ work, ledgers }: Deps, input: Input, step: Step): Promise<RestoreResult | undefined> => {
  const { restoreId, mailbox, snapshotId, stopped } = input;
  const reported = await findRestoreReport(work, restoreId);
  if (reported !== undefined) {
    // One that died after its report may have left some.
    await removeCheckpoints(work, restoreId, "comparing");
    return reported.counts;
  }

  // A restore that could not create its folders has none.
  const map = (await findFolderMap(work, restoreId)) ?? {};
  const compared: Compared = { plan: (await findRestorePlan(work, restoreId)) ?? planOfNothing(), map };
  const checkpoints = await openCheckpoints(work, { restoreId, kind: "comparing" }, ComparisonState);
  const stages = comparisonStages({ work, ledgers }, input, compared, step);
  const state = await goOnFromCheckpoint(checkpoints, stages, step.isOver);
  if (state === undefined) return undefined;

  const versions: Version[] = [];
  for await (const version of eachInOrder(work, state.versions, Version)) versions.push(version);
  await keepVersions(work, restoreId, versions);
  const items: ItemReport[] = [];
  // What is missing since the restore stopped has its code.
  const why = stopped === undefined ? {} : { code: stopped.code ?? stopped.reason };
  for await (const { unsettled, ...row } of eachInOrder(work, state.rows, Row))
    items.push(unsettled ? { ...row, ...why } : row);
  const { folders, ...counted } = state.tally;
  const counts: RestoreResult = { ...counted, present: compared.plan.present, ...(stopped && { stopped }) };
  await keepRestoreReport(work, {
    v: 1,
    restoreId,
    mailbox: mailbox.key,
    ...(snapshotId === undefined ? {} : { snapshot: snapshotId }),
    started: state.started,
    finished: new Date().toISOString(),
    counts,
    folders: folderReports(compared.plan.folders, folders),
    items,
  });
  await removeCheckpoints(work, restoreId, "comparing");
  return counts;
};

/** Of a restore that ended before it was planned. */
const planOfNothing = (): RestorePlanState =>
  RestorePlanState.parse({
    ...{ generation: "none", started: new Date().toISOString(), folders: [] },
    ...{ items: 0, present: 0, bytes: 0, chunks: 0 },
  });
