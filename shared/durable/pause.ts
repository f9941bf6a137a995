import type { OrchestrationContext, Task } from "durable-functions";

/** A durable wait; none for nothing. */
export function* pause(context: OrchestrationContext, ms: number): Generator<Task, void, unknown> {
  if (ms > 0) yield context.df.createTimer(new Date(context.df.currentUtcDateTime.getTime() + ms));
}

/** Milliseconds until a moment, by the orchestration's own clock; below zero for one that has passed. */
export const msUntil = (context: OrchestrationContext, moment: string): number =>
  Date.parse(moment) - context.df.currentUtcDateTime.getTime();

/** The moment so many milliseconds from now, by the orchestration's own clock. */
export const momentIn = (context: OrchestrationContext, ms: number): string =>
  new Date(context.df.currentUtcDateTime.getTime() + ms).toISOString();
