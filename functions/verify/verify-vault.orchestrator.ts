import type { OrchestrationContext, Task } from "durable-functions";
import { ownRunId } from "../../shared/durable/own-ids.ts";
import { CANCELLED, type Cancelled } from "../jobs/generation.contract.ts";
import { inGenerations } from "../jobs/in-generations.steps.ts";
import { VerifyVaultInput as Input, type VerifyTotals, type VerifyVaultInput } from "./verify.contract.ts";
import { NOTHING_VERIFIED, verifyNext } from "./verify.steps.ts";

/**
 * Verifies a mailbox or a share of the vault, in waves of one activity each. The result is counts; findings are kept
 * with the state of each mailbox. Damage does not fail the job: looking for it is its purpose.
 */
export function* verifyVault(
  context: OrchestrationContext,
): Generator<Task, VerifyTotals | (VerifyTotals & Cancelled) | undefined, unknown> {
  const { scope, resume, ...generation } = Input.parse(context.df.getInput());
  const { run, ...state } = resume ?? { run: ownRunId(context, "verify"), ...NOTHING_VERIFIED };
  return yield* inGenerations(context, {
    jobs: [context.df.instanceId],
    generation,
    state,
    *step(state) {
      const { totals, state: next } = yield* verifyNext(context, { run, scope }, state);
      if (next !== undefined) return { state: next };
      context.df.setCustomStatus({ phase: "done", ...totals });
      return { result: totals };
    },
    show: ({ totals }, standing) => context.df.setCustomStatus({ phase: "verifying", ...totals, ...standing }),
    inputOf: (state): VerifyVaultInput => ({ scope, resume: { run, ...state } }),
    cancelled: ({ totals }) => ({ ...totals, ...CANCELLED }),
  });
}
