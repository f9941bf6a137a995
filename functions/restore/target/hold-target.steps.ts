import type { OrchestrationContext, Task } from "durable-functions";
import type { MailboxKey, RunId } from "../../../shared/contracts/ids.ts";
import { BlockedError, callOrBlock } from "../../../shared/durable/waits.ts";
import { holdTarget } from "./hold-target.contract.ts";

/**
 * Takes a mailbox for a restore that is to have it to itself.
 *
 * @throws {BlockedError} while another restore has it: this one keeps its place in the queue, and is woken.
 */
export function* takeMailbox(
  context: OrchestrationContext,
  restore: { readonly restoreId: RunId; readonly mailboxKey: MailboxKey },
): Generator<Task, void, unknown> {
  const { waitsFor } = yield* callOrBlock(context, holdTarget, restore);
  if (waitsFor !== undefined) throw new BlockedError("mailbox", 0, waitsFor);
}
