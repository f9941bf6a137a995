import type { OrchestrationContext, Task } from "durable-functions";
import { addCounts } from "../../shared/contracts/add-counts.ts";
import { call } from "../../shared/durable/activity.ts";
import {
  type CleanVaultInput,
  CleanVaultResult,
  CleanVaultInput as Input,
  retainMailboxes,
} from "./retention.contract.ts";

/** Calls in one generation: history is replayed for each result, so it must stay short. */
const CALLS_PER_GENERATION = 20;

/** Forgets and prunes every mailbox of the vault, one cycle of retention each. */
export function* cleanVault(context: OrchestrationContext): Generator<Task, CleanVaultResult | undefined, unknown> {
  let { after, before } = Input.parse(context.df.getInput());
  for (let calls = 0; calls < CALLS_PER_GENERATION; calls += 1) {
    const step = yield* call(context, retainMailboxes, after === undefined ? {} : { after });
    const counts = CleanVaultResult.parse(step);
    before = before === undefined ? counts : addCounts(counts, before);
    after = step.after;
    context.df.setCustomStatus(before);
    if (step.finished) return before;
  }
  const next: CleanVaultInput = {
    ...(after === undefined ? {} : { after }),
    ...(before === undefined ? {} : { before }),
  };
  context.df.continueAsNew(next);
  return undefined;
}
