import * as z from "zod";
import { MailboxKey, SnapshotId } from "../../shared/contracts/ids.ts";
import { defineActivity } from "../../shared/durable/activity.ts";

const Count = z.int().nonnegative();

/** What these do, they do again from where they were; this covers crashes and outages. */
const OUTAGE_RETRY = { firstIntervalMs: 10_000, attempts: 5, backoff: 2 };

/** Writes a base beside the newest snapshot, if its chain has outgrown one. */
export const compactMailbox = defineActivity({
  name: "compact-mailbox",
  input: z.object({ mailboxKey: MailboxKey }),
  output: z.object({
    /** `damaged`: the chain is not as it should be, and nothing was written. */
    outcome: z.enum(["compacted", "not-due", "no-snapshot", "damaged"]),
    snapshotId: SnapshotId.optional(),
    /** Records of the new base. */
    records: Count,
  }),
  retry: OUTAGE_RETRY,
});

/** What one cycle, or some, removed of what no snapshot needs; `waiting` are blobs that a later one may remove. */
const Removed = z.object({
  compacted: Count,
  waiting: Count,
  removed: Count,
  removedBytes: Count,
  /** Blobs that write-once storage, a lease or a right kept. */
  refused: Count,
});

/** Removes of a mailbox what the policy does not keep, as far as time allows. Nothing, where there is no policy. */
export const retainMailbox = defineActivity({
  name: "retain-mailbox",
  input: z.object({ mailboxKey: MailboxKey }),
  output: Removed.extend({
    /** `more`: time was up, and the next call goes on; `damaged`: what is needed is not as it should be. */
    outcome: z.enum(["done", "more", "held", "damaged", "no-policy"]),
    /** The blob that is damaged. */
    damaged: z.string().optional(),
    /** Snapshots that stay, and that go. */
    kept: Count,
    going: Count,
  }),
  retry: OUTAGE_RETRY,
});
export type Retained = z.output<typeof retainMailbox.output>;

export const CleanMailboxInput = z.object({
  mailboxKey: MailboxKey,
  /** What earlier generations did. */
  before: Removed.optional(),
});
export type CleanMailboxInput = z.output<typeof CleanMailboxInput>;

/** Cleans up mailboxes, in the order of their keys, as far as time allows. */
export const retainMailboxes = defineActivity({
  name: "retain-mailboxes",
  input: z.object({ after: MailboxKey.optional() }),
  output: Removed.extend({
    /** The last mailbox that is done; the next call goes on behind it. */
    after: MailboxKey.optional(),
    finished: z.boolean(),
    mailboxes: Count,
    held: Count,
    damaged: Count,
    failed: Count,
  }),
  retry: OUTAGE_RETRY,
});

export const CleanVaultResult = retainMailboxes.output.omit({ after: true, finished: true });
export type CleanVaultResult = z.output<typeof CleanVaultResult>;

export const CleanVaultInput = z.object({ after: MailboxKey.optional(), before: CleanVaultResult.optional() });
export type CleanVaultInput = z.output<typeof CleanVaultInput>;
