import type { DurableClient, DurableOrchestrationStatus } from "durable-functions";
import { findInstance, startOnce } from "../../../shared/durable/start-once.ts";
import { type Problem, problem } from "../../../shared/http/problem.ts";
import type { Blobs } from "../../../shared/storage/blobs.ts";
import { forgetWish } from "../../jobs/wishes.ts";
import { removeRestoreReport } from "../report/restore-report.ts";
import { RestoreOrder, RestoreResult } from "../restore.contract.ts";
import { findRestorePlan } from "../restore-state.ts";
import { PASSED_ON } from "../target/hold-target.steps.ts";
import { lastHolder } from "../target/target-lease.ts";

/**
 * Begins a restore anew that failed, was cancelled or had to stop. Its plan and its ledgers stand, so only what is not
 * settled is imported, and its report is written anew. Where another job has had the mailbox since, its plan does not
 * hold any more: it is refused. Asked twice, the second call finds it alive.
 */
export const restartRestore =
  ({ work, state }: { readonly work: Blobs; readonly state: Blobs }) =>
  async (
    client: DurableClient,
    { instanceId, runtimeStatus }: DurableOrchestrationStatus,
  ): Promise<Problem | undefined> => {
    const ended = await findInstance(client, instanceId, { showInput: true });
    const order = RestoreOrder.safeParse(ended?.input);
    const result = RestoreResult.safeParse(ended?.output);
    const isWhole = String(runtimeStatus) === "Completed" && result.data?.stopped === undefined;
    if (!order.success || order.data.dryRun || isWhole)
      return problem(409, "job-state", "The job has done its work: there is nothing to resume.", {
        state: "completed",
      });
    const { restoreId, planOf, mailbox, into = mailbox } = order.data;
    const isPlanned = (await findRestorePlan(work, restoreId)) !== undefined;
    if (isPlanned && (await lastHolder(work, into.key)) !== restoreId)
      return problem(409, "mailbox-passed-on", `${PASSED_ON}.`);
    if (planOf !== undefined && !isPlanned)
      return problem(410, "plan-expired", "What the restore had planned is not kept any more: start another one.");
    await removeRestoreReport(work, restoreId);
    await forgetWish(state, instanceId);
    await startOnce(client, "restore-mailbox", { instanceId, input: order.data });
    return undefined;
  };
