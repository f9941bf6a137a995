import * as z from "zod";
import { MailboxKey, SnapshotId } from "../../shared/contracts/ids.ts";
import { defineActivity } from "../../shared/durable/activity.ts";
import { Generation } from "../jobs/generation.contract.ts";

const Count = z.int().nonnegative();

/** A call that failed is continued by the next one. This covers crashes and outages. */
const OUTAGE_RETRY = { firstIntervalMs: 10_000, attempts: 5, backoff: 2 };

/** Writes a base beside the newest snapshot, if its chain has outgrown one. */
export const compactMailbox = defineActivity({
  name: "compact-mailbox",
  input: z.object({ mailboxKey: MailboxKey }),
  output: z.object({
    /** `damaged`: a blob of the chain is missing or altered, and nothing was written. */
    outcome: z.enum(["compacted", "not-due", "no-snapshot", "damaged"]),
    snapshotId: SnapshotId.optional(),
    /** Records of the new base. */
    records: Count,
  }),
  retry: OUTAGE_RETRY,
});

/** What one or more cycles pruned. `waiting` are unneeded blobs that a later cycle may remove. */
const PruneCounts = z.object({
  /** Snapshots that got a base. */
  compacted: Count,
  waiting: Count,
  removed: Count,
  removedBytes: Count,
  /** Blobs that could not be removed, because of write-once storage, a lease or a missing right. */
  refused: Count,
});

export type Pruned = z.output<typeof PruneCounts>;

/** Forgets and prunes one mailbox until time is up. Removes nothing without a policy. */
export const retainMailbox = defineActivity({
  name: "retain-mailbox",
  input: z.object({ mailboxKey: MailboxKey }),
  output: PruneCounts.extend({
    /**
     * `more`: time was up, and the next call goes on. `held`: the mailbox is on hold, and nothing was removed.
     * `damaged`: a needed blob is missing or altered, and nothing more was removed.
     */
    outcome: z.enum(["done", "more", "held", "damaged", "no-policy"]),
    /** The blob that is damaged. */
    damaged: z.string().optional(),
    /** Snapshots that are kept. */
    kept: Count,
    /** Snapshots that expire. */
    going: Count,
  }),
  retry: OUTAGE_RETRY,
});
export type Retained = z.output<typeof retainMailbox.output>;

export const CleanMailboxInput = Generation.extend({
  mailboxKey: MailboxKey,
  /** What earlier generations did. */
  before: PruneCounts.optional(),
});
export type CleanMailboxInput = z.output<typeof CleanMailboxInput>;

/** Forgets and prunes mailboxes, in the order of their keys, until time is up. */
export const retainMailboxes = defineActivity({
  name: "retain-mailboxes",
  input: z.object({ after: MailboxKey.optional() }),
  output: PruneCounts.extend({
    /** The last finished mailbox; the next call goes on behind it. */
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

export const CleanVaultInput = Generation.extend({
  after: MailboxKey.optional(),
  before: CleanVaultResult.optional(),
});
export type CleanVaultInput = z.output<typeof CleanVaultInput>;
