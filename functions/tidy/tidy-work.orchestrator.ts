import type { OrchestrationContext, Task } from "durable-functions";
import { addCounts } from "../../shared/contracts/add-counts.ts";
import { call } from "../../shared/durable/activity.ts";
import { CANCELLED, type Cancelled } from "../jobs/generation.contract.ts";
import { inGenerations } from "../jobs/in-generations.steps.ts";
import { TidyWorkInput as Input, TidyCounts, type TidyWorkInput, tidyScratch } from "./tidy.contract.ts";

const NOTHING: TidyCounts = { forgotten: 0, removed: 0, renewed: 0, failed: 0 };

/** Forgets jobs that ended long ago, and removes the scratch data of jobs that are not listed any more. */
export function* tidyWork(
  context: OrchestrationContext,
): Generator<Task, TidyCounts | (TidyCounts & Cancelled) | undefined, unknown> {
  const { after, before = NOTHING, ...generation } = Input.parse(context.df.getInput());
  return yield* inGenerations(context, {
    jobs: [context.df.instanceId],
    generation,
    state: { after, before },
    *step({ after, before }) {
      const step = yield* call(context, tidyScratch, after === undefined ? {} : { after });
      const counts = addCounts(before, TidyCounts.parse(step));
      return step.finished ? { result: counts } : { state: { after: step.after ?? after, before: counts } };
    },
    show: ({ before }, standing) => context.df.setCustomStatus({ ...before, ...standing }),
    inputOf: (state): TidyWorkInput => state,
    cancelled: ({ before }) => ({ ...before, ...CANCELLED }),
  });
}
