import * as z from "zod";
import { MailboxKey, SnapshotId } from "../../shared/contracts/ids.ts";

/** The snapshot that was written. */
export const FollowUpInput = z.object({ mailboxKey: MailboxKey, snapshotId: SnapshotId });
export type FollowUpInput = z.output<typeof FollowUpInput>;

/**
 * How each step ended: `waiting` before it ran, `failed`, or its own outcome. Of verifying, that is `sound` or
 * `damaged`. Removing is `withheld` unless the snapshot is known to be sound.
 */
export interface FollowUpResult {
  verify: string;
  compact: string;
  retain: string;
}
