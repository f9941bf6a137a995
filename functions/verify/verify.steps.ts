import type { OrchestrationContext, Task } from "durable-functions";
import type * as z from "zod";
import { addCounts } from "../../shared/contracts/add-counts.ts";
import type { RunId } from "../../shared/contracts/ids.ts";
import { call } from "../../shared/durable/activity.ts";
import { removeWaves, type Verified, type VerifyScope, type VerifyTotals, verifyWave } from "./verify.contract.ts";

export const NOTHING_VERIFIED: Verified = {
  wave: 0,
  totals: { mailboxes: 0, snapshots: 0, packs: 0, items: 0, bytes: 0, problems: 0 },
};

/** One wave of a verification: how far it has come, or what it has found when it is done. */
export function* verifyNext(
  context: OrchestrationContext,
  { run, scope }: { readonly run: RunId; readonly scope: VerifyScope },
  { wave, position, totals }: Verified,
): Generator<Task, { readonly totals: VerifyTotals; readonly state?: Verified }, unknown> {
  const { next, ...counts } = yield* call(context, verifyWave, { run, wave, scope, position });
  const sum = addCounts(totals, counts);
  if (next !== undefined) return { totals: sum, state: { wave: wave + 1, position: next, totals: sum } };
  yield* forget(context, { run, waves: wave + 1, scope });
  return { totals: sum };
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
