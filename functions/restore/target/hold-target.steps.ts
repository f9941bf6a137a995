import type { OrchestrationContext, Task } from "durable-functions";
import type { MailboxKey, RunId } from "../../../shared/contracts/ids.ts";
import { BlockedError, callOrBlock } from "../../../shared/durable/waits.ts";
import { holdTarget } from "./hold-target.contract.ts";

/** What is there by now may not be what the plan goes by: the restore could import it a second time. */
export const PASSED_ON =
  "Another restore, or an undo, has had the mailbox since this one was planned: start another restore";

/**
 * Takes a mailbox for a restore that is to have it to itself.
 *
 * @throws {BlockedError} while another restore has it: this one keeps its place in the queue, and is woken.
 * @throws {Error} when another job has had it since this restore was planned.
 */
export function* takeMailbox(
  context: OrchestrationContext,
  restore: { readonly restoreId: RunId; readonly mailboxKey: MailboxKey },
): Generator<Task, void, unknown> {
  const { waitsFor, passedOn } = yield* callOrBlock(context, holdTarget, restore);
  if (passedOn) throw new Error(PASSED_ON);
  if (waitsFor !== undefined) throw new BlockedError("mailbox", 0, waitsFor);
}
