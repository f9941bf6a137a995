import type { OrchestrationContext, Task } from "durable-functions";
import { addCounts } from "../../shared/contracts/add-counts.ts";
import { call } from "../../shared/durable/activity.ts";
import { TidyWorkInput as Input, TidyCounts, type TidyWorkInput, tidyScratch } from "./tidy.contract.ts";

/** Calls in one generation: history is replayed for each result, so it must stay short. */
const CALLS_PER_GENERATION = 20;

const NOTHING: TidyCounts = { forgotten: 0, removed: 0, renewed: 0, failed: 0 };

/** Forgets jobs that ended long ago, and removes the scratch data of jobs that are not listed any more. */
export function* tidyWork(context: OrchestrationContext): Generator<Task, TidyCounts | undefined, unknown> {
  let { after, before = NOTHING } = Input.parse(context.df.getInput());
  for (let calls = 0; calls < CALLS_PER_GENERATION; calls += 1) {
    const step = yield* call(context, tidyScratch, after === undefined ? {} : { after });
    before = addCounts(before, TidyCounts.parse(step));
    after = step.after ?? after;
    context.df.setCustomStatus(before);
    if (step.finished) return before;
  }
  context.df.continueAsNew({ ...(after !== undefined && { after }), before } satisfies TidyWorkInput);
  return undefined;
}
