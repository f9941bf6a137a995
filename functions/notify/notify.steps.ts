import type { OrchestrationContext, Task } from "durable-functions";
import { call } from "../../shared/durable/activity.ts";
import { type Notice, notify } from "./notify.contract.ts";

/** Notifies people of the end of a job. A notice that cannot be sent changes nothing about that end. */
export function* notifyPeople(context: OrchestrationContext, notice: Notice): Generator<Task, void, unknown> {
  try {
    yield* call(context, notify, notice);
  } catch {
    // The activity's own failure is in the history and the log.
  }
}
