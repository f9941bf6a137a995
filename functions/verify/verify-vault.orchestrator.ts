import type { OrchestrationContext, Task } from "durable-functions";
import type * as z from "zod";
import { addCounts } from "../../shared/contracts/add-counts.ts";
import { call } from "../../shared/durable/activity.ts";
import { ownRunId } from "../../shared/durable/own-ids.ts";
import { removeWaves, type VerifyTotals, VerifyVaultInput, verifyWave } from "./verify.contract.ts";

/** Waves in one generation: they bound its history. */
const WAVES_PER_GENERATION = 20;

const NOTHING: VerifyTotals = { mailboxes: 0, snapshots: 0, packs: 0, items: 0, bytes: 0, problems: 0 };

/**
 * Verifies a mailbox, a snapshot or a share of the vault, in waves of one activity each. The result is counts; findings
 * are kept with the state of each mailbox. Damage does not fail the job: looking for it is its purpose.
 */
export function* verifyVault(context: OrchestrationContext): Generator<Task, VerifyTotals | undefined, unknown> {
  const { scope, resume } = VerifyVaultInput.parse(context.df.getInput());
  const run = resume?.run ?? ownRunId(context, "verify");
  let { wave, position, totals } = resume ?? { wave: 0, position: undefined, totals: NOTHING };
  context.df.setCustomStatus({ phase: "verifying", ...totals });

  for (let waves = 0; waves < WAVES_PER_GENERATION; waves += 1, wave += 1) {
    const { next, ...counts } = yield* call(context, verifyWave, { run, wave, scope, position });
    totals = addCounts(totals, counts);
    context.df.setCustomStatus({ phase: next === undefined ? "done" : "verifying", ...totals });
    if (next === undefined) {
      yield* forget(context, { run, waves: wave + 1, scope });
      return totals;
    }
    position = next;
  }

  context.df.continueAsNew({ scope, resume: { run, wave, position, totals } } satisfies VerifyVaultInput);
  return undefined;
}

/** Removes scratch data. Where that fails, the nightly tidying does it. */
function* forget(
  context: OrchestrationContext,
  ended: z.input<typeof removeWaves.input>,
): Generator<Task, void, unknown> {
  try {
    yield* call(context, removeWaves, ended);
  } catch {
    // The findings are in the state of each mailbox.
  }
}
