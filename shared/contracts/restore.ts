import * as z from "zod";
import { defineActivity } from "../durable/activity.ts";
import { MAILBOX_SLOTS } from "../graph/limits.ts";
import { RunId, SnapshotId } from "../ids.ts";
import { LaneTraffic, Spending } from "./lane.ts";
import { MailboxRef } from "./mailbox.ts";

const Count = z.int().nonnegative();

/** Lanes wait for Graph themselves; this covers crashes and outages. */
const OUTAGE_RETRY = { firstIntervalMs: 10_000, attempts: 5, backoff: 2 };

/** What to bring back: everything, or folders by their id or their path, each with all that is below it. */
export const Selection = z.union([
  z.strictObject({ all: z.literal(true) }),
  z.strictObject({ folders: z.array(z.string().min(1)).min(1).max(1_000) }),
]);
export type Selection = z.output<typeof Selection>;

/** Where to: a new folder beside the others, or the folders that the items came from. */
export const Target = z.enum(["new-folder", "original"]);
export type Target = z.output<typeof Target>;

/** The restore that an activity works for. Its id names its scratch data. */
const Restore = z.object({ restoreId: RunId, mailbox: MailboxRef });

/** Chunks of the plan: from `from` up to, not including, `to`. */
export const ChunkRange = z.object({ from: Count, to: z.int().positive() });
export type ChunkRange = z.output<typeof ChunkRange>;

/** Item counts of a restore so far; bytes are of the raw streams. */
export const RestoreTotals = z.object({
  imported: Count,
  replaced: Count,
  ambiguous: Count,
  failed: Count,
  bytes: Count,
  throttled: Count,
});
export type RestoreTotals = z.output<typeof RestoreTotals>;

/** Resolves the selection and drops what is in its place already. */
export const planRestore = defineActivity({
  name: "plan-restore",
  input: Restore.extend({ snapshotId: SnapshotId, select: Selection, target: Target }),
  output: z.object({
    items: Count,
    present: Count,
    bytes: Count,
    chunks: Count,
    folders: Count,
    foldersToCreate: Count,
    laneBudgetMs: z.int().positive(),
  }),
  retry: OUTAGE_RETRY,
});
export type RestorePlan = z.output<typeof planRestore.output>;

/** Creates the folders that the plan misses. */
export const ensureFolders = defineActivity({
  name: "ensure-folders",
  input: Restore,
  output: z.object({ created: Count }),
  retry: OUTAGE_RETRY,
});

/** An import session, sealed: its URL is a credential. */
export const ImportSession = z.object({ sealed: z.string().min(1), expires: z.iso.datetime() });
export type ImportSession = z.output<typeof ImportSession>;

export const createImportSession = defineActivity({
  name: "create-import-session",
  input: Restore,
  output: ImportSession,
  retry: OUTAGE_RETRY,
});

/** Imports the items of chunks, `slots` requests at a time, until all are settled or time is up; `left` is not finished. */
export const uploadWave = defineActivity({
  name: "upload-wave",
  input: Restore.extend({
    slots: z.int().positive().max(MAILBOX_SLOTS),
    pending: z.array(ChunkRange).min(1),
    session: ImportSession,
    budgetMs: z.int().positive(),
    /** What earlier waves sent that still counts against Exchange's limits. */
    spent: z.array(Spending),
  }),
  output: LaneTraffic.extend({
    left: z.array(ChunkRange),
    imported: Count,
    replaced: Count,
    ambiguous: Count,
    failed: Count,
    bytes: Count,
    sessionEnded: z.boolean(),
    spent: z.array(Spending),
  }),
  retry: OUTAGE_RETRY,
});

/** Compares what is in the target with what the plan wanted there, and writes the report. */
export const reconcileRestore = defineActivity({
  name: "reconcile-restore",
  input: Restore.extend({ snapshotId: SnapshotId.optional() }),
  output: z.object({
    imported: Count,
    replaced: Count,
    present: Count,
    ambiguous: Count,
    failed: Count,
    missing: Count,
    bytes: Count,
  }),
  retry: OUTAGE_RETRY,
});
export type RestoreResult = z.output<typeof reconcileRestore.output>;

export const RestoreMailboxInput = z.object({
  restoreId: RunId,
  mailbox: MailboxRef,
  snapshotId: SnapshotId,
  select: Selection,
  target: Target,
  dryRun: z.boolean(),
  /** Set when a generation goes on where the last one ended. */
  resume: z
    .object({
      plan: planRestore.output,
      pending: z.array(ChunkRange),
      lanes: z.int().positive(),
      spent: z.array(Spending).default([]),
      totals: RestoreTotals,
    })
    .optional(),
});
export type RestoreMailboxInput = z.output<typeof RestoreMailboxInput>;
