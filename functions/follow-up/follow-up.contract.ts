import * as z from "zod";
import { MailboxKey, SnapshotId } from "../../shared/contracts/ids.ts";

/** The snapshot that was written. */
export const FollowUpInput = z.object({ mailboxKey: MailboxKey, snapshotId: SnapshotId });
export type FollowUpInput = z.output<typeof FollowUpInput>;

/**
 * How each step ended: `waiting` before it, `failed`, or in its own words; `sound` and `damaged` are those of verifying, and
 * removing is `withheld` beside a snapshot that is not known to be sound.
 */
export interface FollowUpResult {
  verify: string;
  compact: string;
  retain: string;
}
