import type { OrchestrationContext, Task } from "durable-functions";
import { addCounts } from "../../shared/contracts/add-counts.ts";
import { call } from "../../shared/durable/activity.ts";
import { CANCELLED, type Cancelled } from "../jobs/generation.contract.ts";
import { inGenerations } from "../jobs/in-generations.steps.ts";
import {
  type CleanVaultInput,
  CleanVaultResult,
  CleanVaultInput as Input,
  retainMailboxes,
} from "./retention.contract.ts";

/** Forgets and prunes every mailbox of the vault, one cycle of retention each. */
export function* cleanVault(
  context: OrchestrationContext,
): Generator<Task, CleanVaultResult | Partial<CleanVaultResult & Cancelled> | undefined, unknown> {
  const { after, before, ...generation } = Input.parse(context.df.getInput());
  return yield* inGenerations(context, {
    jobs: [context.df.instanceId],
    generation,
    state: { after, before },
    *step({ after, before }) {
      const step = yield* call(context, retainMailboxes, after === undefined ? {} : { after });
      const counts = CleanVaultResult.parse(step);
      const sum = before === undefined ? counts : addCounts(counts, before);
      return step.finished ? { result: sum } : { state: { after: step.after, before: sum } };
    },
    show: ({ before }, standing) => context.df.setCustomStatus({ ...before, ...standing }),
    inputOf: (state): CleanVaultInput => state,
    cancelled: ({ before }) => ({ ...before, ...CANCELLED }),
  });
}
