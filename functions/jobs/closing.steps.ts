import type { OrchestrationHandler } from "durable-functions";
import { call } from "../../shared/durable/activity.ts";
import { isOfInfrastructure } from "../../shared/durable/infrastructure.ts";
import { closeJob } from "./close-job.contract.ts";

/**
 * An orchestrator that says so when it fails by itself. A job that fails without a word was lost by the infrastructure,
 * as in a turn whose process dies, and is gone on with: see `watch-jobs`.
 */
export const closingWhenItFails = (handler: OrchestrationHandler): OrchestrationHandler =>
  function* (context) {
    try {
      return yield* handler(context);
    } catch (error) {
      if (!isOfInfrastructure(String(error))) {
        try {
          yield* call(context, closeJob, { job: context.df.instanceId });
        } catch {
          // It is gone on with some times, and fails again.
        }
      }
      throw error;
    }
  };
