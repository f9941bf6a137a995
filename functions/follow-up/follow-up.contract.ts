import * as z from "zod";
import { MailboxKey, RunId, SnapshotId } from "../../shared/contracts/ids.ts";
import { Generation } from "../jobs/generation.contract.ts";
import { Verified } from "../verify/verify.contract.ts";

/**
 * How each step ended: `waiting` before it ran, `failed`, or its own outcome. Of verifying, that is `sound` or
 * `damaged`. Removing is `withheld` unless the snapshot is known to be sound.
 */
const FollowUpResult = z.object({ verify: z.string(), compact: z.string(), retain: z.string() });
export type FollowUpResult = z.output<typeof FollowUpResult>;

/** How far a follow-up has come. */
const FollowedUp = z.object({
  result: FollowUpResult,
  verified: Verified,
  /** Calls that removed blobs. */
  rounds: z.int().nonnegative(),
});
export type FollowedUp = z.output<typeof FollowedUp>;

/** The snapshot that was written. */
export const FollowUpInput = Generation.extend({
  mailboxKey: MailboxKey,
  snapshotId: SnapshotId,
  /** Set in a later generation, which goes on where the last one ended; `run` names the scratch data of verifying. */
  resume: FollowedUp.extend({ run: RunId }).optional(),
});
export type FollowUpInput = z.output<typeof FollowUpInput>;
