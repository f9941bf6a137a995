import type { OrchestrationContext, Task } from "durable-functions";
import { call } from "../../shared/durable/activity.ts";
import { type Notice, notify } from "./notify.contract.ts";

/** Tells people of something that has ended. Whether that can be told changes nothing about how it ended. */
export function* tell(context: OrchestrationContext, notice: Notice): Generator<Task, void, unknown> {
  try {
    yield* call(context, notify, notice);
  } catch {
    // The activity's own failure is in the history and the log.
  }
}
