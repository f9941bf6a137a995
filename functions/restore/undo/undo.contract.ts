import * as z from "zod";
import { RunId } from "../../../shared/contracts/ids.ts";
import { LaneTraffic, Spending } from "../../../shared/contracts/lane.ts";
import { MAILBOX_SLOTS } from "../../../shared/contracts/limits.ts";
import { MailboxRef } from "../../../shared/contracts/mailbox.ts";
import { defineActivity } from "../../../shared/durable/activity.ts";
import { orAway } from "../../../shared/durable/outages.ts";
import { Wait } from "../../../shared/durable/waits.ts";
import { SlotHold } from "../../slots/slots.contract.ts";
import { ChunkRange } from "../chunk-ranges.contract.ts";

const Count = z.int().nonnegative();

/** Outages are waited for by the orchestrator; this covers crashes. */
const OUTAGE_RETRY = { firstIntervalMs: 10_000, attempts: 5, backoff: 2 };

/** The undo that an activity works for. Its id names its scratch data, and its turn at the mailbox. */
const Undo = z.object({
  undoId: RunId,
  /** The restore to undo. */
  restoreId: RunId,
  /** The mailbox that was restored into. */
  mailbox: MailboxRef,
  dryRun: z.boolean(),
  /** The jobs whose wishes it heeds while it works. */
  jobs: z.array(z.string().min(1)).optional(),
});
export type Undo = z.output<typeof Undo>;

/**
 * What became of the folder that a restore made for itself. `removable`: a dry run would remove it. `kept`: it holds
 * what the restore did not bring, or what somebody changed. `refused`: Exchange did not let it go. `already-gone`:
 * somebody deleted it before.
 */
export const FolderOutcome = z.enum(["removed", "removable", "kept", "refused", "already-gone"]);
export type FolderOutcome = z.output<typeof FolderOutcome>;

/**
 * Surveys the folder that a restore made for itself, and removes it where it holds nothing but what the restore
 * brought. Without an `outcome` it goes on with `survey`: time was up, or that no longer told what is in the folder.
 */
export const removeFolder = defineActivity({
  name: "remove-restored-folder",
  input: Undo.extend({ survey: Count, hold: SlotHold, budgetMs: z.int().positive() }),
  output: orAway(
    z.object({
      survey: Count,
      outcome: FolderOutcome.optional(),
      /** It did nothing, as its slots or its mailbox were another's. */
      notHeld: z.literal(true).optional(),
    }),
  ),
  retry: OUTAGE_RETRY,
});

/** Counts of the chunks of a wave that are finished. */
export const UndoTotals = z.object({ examined: Count, deleted: Count, throttled: Count });
export type UndoTotals = z.output<typeof UndoTotals>;

/** Deletes what a restore imported and nobody changed, chunk by chunk; `left`: unfinished. A dry run only looks. */
export const undoWave = defineActivity({
  name: "undo-wave",
  input: Undo.extend({
    slots: z.int().positive().max(MAILBOX_SLOTS),
    hold: SlotHold,
    pending: z.array(ChunkRange).min(1),
    budgetMs: z.int().positive(),
    /** What earlier waves sent and Exchange's limits still count. */
    spent: z.array(Spending),
  }),
  output: LaneTraffic.extend({
    left: z.array(ChunkRange),
    examined: Count,
    deleted: Count,
    /** Whether any item was settled, also of an unfinished chunk. */
    isProgress: z.boolean(),
    /** Graph or storage is away: `waitMs` is what they ask for, and may be 0. */
    away: z.literal(true).optional(),
    /** The job was told to pause or to end: nothing was begun after that. */
    told: z.literal(true).optional(),
    spent: z.array(Spending),
  }),
  retry: OUTAGE_RETRY,
});

/**
 * What an undo did, or its dry run would do, by items that the restore brought: `deleted`; `changed` since, and kept;
 * `alreadyGone`: deleted or moved by somebody; `replaced`: imported in place of another version, which cannot be
 * undone; `ambiguous`: whether the restore brought them is not clear, and kept; `notPermitted`: unchanged, but the app
 * may not delete items; `refused` by Exchange.
 */
export const UndoResult = z.object({
  deleted: Count,
  changed: Count,
  alreadyGone: Count,
  replaced: Count,
  ambiguous: Count,
  notPermitted: Count,
  refused: Count,
  /** Of an undo that was cancelled: items that it did not come to. */
  notExamined: Count.optional(),
  stopped: z.object({ reason: z.literal("cancelled") }).optional(),
  /** Of a restore into a folder of its own. */
  folder: FolderOutcome.optional(),
});
export type UndoResult = z.output<typeof UndoResult>;

/** Writes the report, and leaves the mailbox to the next job. */
export const reportUndo = defineActivity({
  name: "report-undo",
  input: Undo.extend({ isCancelled: z.boolean().optional() }),
  output: orAway(UndoResult),
  retry: OUTAGE_RETRY,
});

export const UndoRestoreInput = Undo.extend({
  /** Whether the restore went into a folder of its own. */
  ownFolder: z.boolean(),
  /** Chunks of the restore's plan. */
  chunks: Count,
  laneBudgetMs: z.int().positive(),
  /** The name under which it holds slots. */
  holder: z.string().min(1).optional(),
  /** What it has waited for since it last did something. */
  wait: Wait.optional(),
  /** Set when a generation goes on where the last one ended. */
  resume: z
    .object({
      survey: Count,
      /** Known once the folder was dealt with. */
      folder: FolderOutcome.optional(),
      pending: z.array(ChunkRange),
      lanes: z.int().positive(),
      spent: z.array(Spending),
      totals: UndoTotals,
    })
    .optional(),
});
export type UndoRestoreInput = z.output<typeof UndoRestoreInput>;
