import type { OrchestrationContext, Task } from "durable-functions";

/**
 * Waits for an external event, at most `ms`; returns whether it came. Wait for an event only once in a generation: a
 * wait that timed out stays open, and would take the event from the next one.
 */
export function* awaitEvent(
  context: OrchestrationContext,
  name: string,
  ms: number,
): Generator<Task, boolean, unknown> {
  const late = context.df.createTimer(new Date(context.df.currentUtcDateTime.getTime() + ms));
  const event = context.df.waitForExternalEvent(name);
  const first = yield context.df.Task.any([late, event]);
  if (first !== event) return false;
  // A timer that nobody waits for would keep the orchestration from ending.
  late.cancel();
  return true;
}
