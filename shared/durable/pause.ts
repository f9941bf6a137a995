import type { OrchestrationContext, Task } from "durable-functions";

/** Waits durably; returns at once for 0 ms. */
export function* pause(context: OrchestrationContext, ms: number): Generator<Task, void, unknown> {
  if (ms > 0) yield context.df.createTimer(new Date(context.df.currentUtcDateTime.getTime() + ms));
}

/**
 * The task hub cuts the delay of a timer to whole seconds, so that it may fire a second early. Seen on the real host,
 * with the Durable extension 3.19.
 */
const EARLY_MS = 1_000;

/** A wait that a service asked for, so long that no timer ends before it. */
export const inFull = (askedMs: number): number => (askedMs > 0 ? askedMs + EARLY_MS : 0);

/** Milliseconds until a moment, by the orchestration's own clock; negative for one in the past. */
export const msUntil = (context: OrchestrationContext, moment: string): number =>
  Date.parse(moment) - context.df.currentUtcDateTime.getTime();

/** The moment `ms` from now, by the orchestration's own clock. */
export const momentIn = (context: OrchestrationContext, ms: number): string =>
  new Date(context.df.currentUtcDateTime.getTime() + ms).toISOString();
