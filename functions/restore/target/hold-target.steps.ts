import type { OrchestrationContext, Task } from "durable-functions";
import type { MailboxKey, RunId } from "../../../shared/contracts/ids.ts";
import { call } from "../../../shared/durable/activity.ts";
import { pause } from "../../../shared/durable/pause.ts";
import { holdTarget, type WaitsFor } from "./hold-target.contract.ts";

/** Between two questions: twice as long each time, and short enough to keep the turn. */
const FIRST_WAIT_MS = 2_000;
const MAX_WAIT_MS = 30_000;

/** Questions in one generation: bounds its history. */
const QUESTIONS = 60;

/**
 * Waits until a restore has its mailbox to itself; false when it should go on waiting in another generation. `waiting`
 * is told what for.
 */
export function* waitForTarget(
  context: OrchestrationContext,
  restore: { readonly restoreId: RunId; readonly mailboxKey: MailboxKey },
  waiting: (waitsFor: WaitsFor) => void,
): Generator<Task, boolean, unknown> {
  for (let question = 0; question < QUESTIONS; question += 1) {
    const { waitsFor } = yield* call(context, holdTarget, restore);
    if (waitsFor === undefined) return true;
    waiting(waitsFor);
    yield* pause(context, Math.min(MAX_WAIT_MS, FIRST_WAIT_MS * 2 ** question));
  }
  return false;
}
