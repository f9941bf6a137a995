import type { Instance } from "./instance.ts";
import { type Action, ActionType, type LeafAction, leaves } from "./orchestrator-state.ts";
import type { Message, Task } from "./record.ts";

/** The extension goes through the actions one by one, and stays at one until what it asks for is over. */
export interface Reached {
  readonly actions: readonly LeafAction[];
  /** Whether it stays at the last of these, whatever the orchestrator does after it. */
  readonly stays: boolean;
}

export const rootOf = ({ id, root }: Task): number => root ?? id;

/**
 * How far the extension gets. The library's `Task.all` fails with the first failure, and the orchestrator goes on; the
 * extension waits until every branch has ended. Source: OutOfProcOrchestrationShim.cs.
 */
export const reachedActions = (actions: readonly Action[], called: readonly Task[], isOpen: IsOpen): Reached => {
  const reached: LeafAction[] = [];
  let calls = 0;
  for (const action of actions) {
    const parts = leaves([action]);
    reached.push(...parts);
    const from = calls;
    calls += parts.filter(isCall).length;
    if (action.actionType !== ActionType.WhenAll) continue;
    const own = called.slice(from, calls);
    if (own.length < calls - from || own.some(({ id }) => isOpen(id))) return { actions: reached, stays: true };
  }
  return { actions: reached, stays: false };
};

/** Whether a call, or an attempt or a step that follows from it, still has to end. */
export type IsOpen = (root: number) => boolean;

/** What is open after a turn: what was pending, without what it takes, and what follows from that. */
export const openAfter = (
  { pending }: Instance,
  taken: readonly Message[],
  followUps: readonly Task[],
): Set<number> => {
  const over = new Set(taken.map((message) => (message.kind === "event" ? undefined : message.taskId)));
  const left = [...pending.values()].filter(({ id }) => !over.has(id));
  return new Set([...left, ...followUps].map(rootOf));
};

/** The calls whose end nobody waits for: timers that were cancelled. */
export const cancelledCalls = (actions: readonly LeafAction[], called: readonly Task[]): number[] =>
  actions.filter(isCall).flatMap((action, index) => {
    const task = called[index];
    return task !== undefined && "isCanceled" in action && action.isCanceled === true ? [task.id] : [];
  });

/** Whether an action is numbered as a call. */
export const isCall = ({ actionType }: LeafAction): boolean =>
  actionType !== ActionType.WaitForExternalEvent && actionType !== ActionType.ContinueAsNew;
