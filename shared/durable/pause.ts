import type { OrchestrationContext, Task } from "durable-functions";

/** Waits durably; returns at once for 0 ms. */
export function* pause(context: OrchestrationContext, ms: number): Generator<Task, void, unknown> {
  if (ms > 0) yield context.df.createTimer(new Date(context.df.currentUtcDateTime.getTime() + ms));
}

/** Milliseconds until a moment, by the orchestration's own clock; negative for one in the past. */
export const msUntil = (context: OrchestrationContext, moment: string): number =>
  Date.parse(moment) - context.df.currentUtcDateTime.getTime();

/** The moment `ms` from now, by the orchestration's own clock. */
export const momentIn = (context: OrchestrationContext, ms: number): string =>
  new Date(context.df.currentUtcDateTime.getTime() + ms).toISOString();
