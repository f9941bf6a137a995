import * as z from "zod";
import { MailboxKey, SnapshotId } from "../contracts/ids.ts";
import { MailboxKind, MailboxUser, SnapshotState } from "./manifest.ts";
import { Sha256 } from "./records.ts";

const Count = z.int().nonnegative();

/** A summary of the newest snapshot; `items` and `bytes` (raw) count its live items. */
export const NewestSnapshot = z.object({
  id: SnapshotId,
  manifestSha256: Sha256,
  finished: z.iso.datetime(),
  state: SnapshotState,
  items: Count,
  bytes: Count,
  failed: Count,
});
export type NewestSnapshot = z.infer<typeof NewestSnapshot>;

/** Whose mailbox it is, in short. */
export const HeadUser = MailboxUser.pick({
  id: true,
  displayName: true,
  userPrincipalName: true,
  primaryAddress: true,
});

/** Keeps retention away from a mailbox, from `since` on, and until `until` if that is set. */
export const Hold = z.object({
  since: z.iso.datetime(),
  reason: z.string().min(1),
  until: z.iso.datetime().optional(),
});
export type Hold = z.infer<typeof Hold>;

/** Whether a hold is in force at a moment. */
export const isHeld = (hold: Hold | undefined, nowMs: number): boolean =>
  hold !== undefined && (hold.until === undefined || Date.parse(hold.until) > nowMs);

/**
 * The only mutable blob of a mailbox: its newest snapshot and its coverage. `checkedAt` is when a run last brought the
 * vault up to date, with or without a new snapshot. `hold` keeps retention away from the mailbox.
 */
export const Head = z.object({
  v: z.literal(1),
  mailboxKey: MailboxKey,
  mailboxId: z.string().min(1),
  kind: MailboxKind,
  user: HeadUser.optional(),
  newest: NewestSnapshot.nullable(),
  checkedAt: z.iso.datetime(),
  hold: Hold.optional(),
});
export type Head = z.infer<typeof Head>;
