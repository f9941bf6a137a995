import type { DurableClient } from "durable-functions";
import type { MailboxKey, RunId } from "../../../shared/contracts/ids.ts";
import { restoreInstance, undoInstance } from "../../../shared/contracts/job-ids.ts";
import { wake } from "../../../shared/durable/wake.ts";
import type { Blobs } from "../../../shared/storage/blobs.ts";
import { endTarget } from "./target-lease.ts";

/**
 * Leaves a mailbox to the job that waits for it longest, a restore or an undo, and wakes that. Nothing happens when the
 * mailbox is not this restore's any more; run twice, the job is woken twice, and looks again.
 */
export const passTarget = async ({
  work,
  client,
  mailboxKey,
  restoreId,
}: {
  readonly work: Blobs;
  readonly client: Pick<DurableClient, "raiseEvent">;
  readonly mailboxKey: MailboxKey;
  readonly restoreId: RunId;
}): Promise<void> => {
  const { waiting } = await endTarget(work, mailboxKey, restoreId);
  const [next] = waiting;
  if (next !== undefined) await wake(client, [restoreInstance(next.restoreId), undoInstance(next.restoreId)]);
};
