import type { OrchestrationContext, Task } from "durable-functions";

/** A durable wait; none for nothing. */
export function* pause(context: OrchestrationContext, ms: number): Generator<Task, void, unknown> {
  if (ms > 0) yield context.df.createTimer(new Date(context.df.currentUtcDateTime.getTime() + ms));
}
