import * as z from "zod";
import { MailboxKey, RunId, SnapshotId } from "../../shared/contracts/ids.ts";
import { defineActivity } from "../../shared/durable/activity.ts";
import { Generation } from "../jobs/generation.contract.ts";

const Count = z.int().nonnegative();

/**
 * What is verified: a mailbox; one snapshot of it; or of every mailbox the head, and the snapshots that are due on day
 * `share` of `of` days.
 */
export const VerifyScope = z.union([
  z.strictObject({ mailbox: MailboxKey }),
  z.strictObject({ mailbox: MailboxKey, snapshot: SnapshotId }),
  z.strictObject({ share: Count, of: z.int().positive() }),
]);
export type VerifyScope = z.output<typeof VerifyScope>;

/** Where a verification goes on: in this mailbox, at this snapshot, part and pack; without `at`, at its first piece. */
export const VerifyPosition = z.object({
  mailbox: MailboxKey,
  at: z.object({ snapshot: SnapshotId, part: Count, pack: Count }).optional(),
});
export type VerifyPosition = z.output<typeof VerifyPosition>;

/** What was verified, and the problems in it. `bytes` are as stored. */
export const VerifyTotals = z.object({
  mailboxes: Count,
  snapshots: Count,
  packs: Count,
  items: Count,
  bytes: Count,
  problems: Count,
});
export type VerifyTotals = z.output<typeof VerifyTotals>;

/** Verifies until everything in scope is verified or time is up. Findings are kept with the mailbox's state. */
export const verifyWave = defineActivity({
  name: "verify-wave",
  input: z.object({ run: RunId, wave: Count, scope: VerifyScope, position: VerifyPosition.optional() }),
  output: VerifyTotals.extend({ next: VerifyPosition.optional() }),
  retry: { firstIntervalMs: 10_000, attempts: 5, backoff: 2 },
});

/** Removes the scratch data of a verification that has ended. */
export const removeWaves = defineActivity({
  name: "remove-waves",
  input: z.object({ run: RunId, waves: Count, scope: VerifyScope }),
  output: z.object({ removed: Count }),
  retry: { firstIntervalMs: 10_000, attempts: 3, backoff: 2 },
});

/** How far a verification has come: the waves that are done, and where the next one begins. */
export const Verified = z.object({ wave: Count, position: VerifyPosition.optional(), totals: VerifyTotals });
export type Verified = z.output<typeof Verified>;

export const VerifyVaultInput = Generation.extend({
  scope: VerifyScope,
  /** Set in a later generation, which goes on where the last one ended. */
  resume: Verified.extend({ run: RunId }).optional(),
});
export type VerifyVaultInput = z.output<typeof VerifyVaultInput>;
