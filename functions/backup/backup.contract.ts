import * as z from "zod";
import { RunId } from "../../shared/contracts/ids.ts";
import { BatchId, LaneTraffic } from "../../shared/contracts/lane.ts";
import { MAILBOX_SLOTS } from "../../shared/contracts/limits.ts";
import { MailboxRef, Trigger } from "../../shared/contracts/mailbox.ts";
import { PartFailure } from "../../shared/contracts/part.ts";
import { defineActivity } from "../../shared/durable/activity.ts";
import { Wait } from "../../shared/durable/waits.ts";
import { Cancelled } from "../jobs/generation.contract.ts";
import { SlotHold } from "../slots/slots.contract.ts";
import { LeftOut, MAX_LEFT_OUT } from "./discover/left-out.contract.ts";

const Count = z.int().nonnegative();

/** For crashes and outages; lanes wait for Graph themselves. */
const OUTAGE_RETRY = { firstIntervalMs: 10_000, attempts: 5, backoff: 2 };

/** The run that an activity works for. */
const Run = z.object({ mailbox: MailboxRef, runId: RunId });

/** Damage of the vault that a run met and goes on without: what it stores is whole. */
const Damage = z.string();

/** Item counts of a run so far. `bytes` are of the raw streams, `storedBytes` what they take in packs. */
export const BackupTotals = z.object({
  planned: Count,
  exported: Count,
  skipped: Count,
  failed: Count,
  /** Of the skipped ones, those that the next run asks for again. */
  again: Count.default(0),
  removed: Count,
  bytes: Count,
  storedBytes: Count,
  throttled: Count,
});
export type BackupTotals = z.output<typeof BackupTotals>;

/** How many were left out, by reason, and who the first of them are. */
const LeftOutCounts = z.object({
  unknown: Count.default(0),
  unanswered: Count.default(0),
  notPermitted: Count.default(0),
  withoutMailbox: Count,
  excluded: Count.default(0),
  disabled: Count.default(0),
  unlicensed: Count.default(0),
  leftOut: z.array(LeftOut).max(MAX_LEFT_OUT).default([]),
  /** Mailboxes that were left out because their backup is still running. */
  busy: Count,
});

/** How many mailboxes are in the queue, and who is left out. */
export const BackupQueue = LeftOutCounts.extend({ mailboxes: Count });
export type BackupQueue = z.output<typeof BackupQueue>;

/** Queues one page of the mailboxes in scope from position `start` on. `next` is the nextLink of that page. */
export const discoverMailboxes = defineActivity({
  name: "discover-mailboxes",
  input: z.object({
    tenantRun: RunId,
    only: z.array(z.string().min(1)).optional(),
    page: Count,
    start: Count,
    next: z.string().optional(),
  }),
  output: BackupQueue.extend({ next: z.string().optional() }),
  retry: OUTAGE_RETRY,
});

/** How far a run has come: which chunks are planned, and which of their batches are still to be exported. */
export const RunPosition = z.object({
  /** The chunk that is planned next. */
  nextChunk: Count,
  planned: z.boolean(),
  /** The first batch that no lane has taken yet. */
  at: BatchId,
  /** Batches that lanes took and gave back, because Graph refused them. */
  again: z.array(BatchId).max(MAILBOX_SLOTS * 2),
  /** Whether the folders are compared with what Graph says that they hold. Absent in runs that do not compare. */
  compared: z.boolean().optional(),
});
export type RunPosition = z.output<typeof RunPosition>;

/** A run's progress. */
export const BackupProgress = z.object({
  wave: Count,
  /** Requests that the next wave may keep under way; fewer when it gets fewer slots. */
  lanes: z.int().positive(),
  position: RunPosition,
  expectedItems: Count,
  /** Of the last wave; 0 before the first. */
  itemsPerSecond: z.number().nonnegative(),
  totals: BackupTotals,
});
export type BackupProgress = z.output<typeof BackupProgress>;

/**
 * Opens a run: pins the snapshot that it follows, or finds one that died for this one to go on with. Sends nothing to
 * Graph, so it needs no slot.
 */
export const openRun = defineActivity({
  name: "open-run",
  input: Run.extend({
    /** Whether to list everything again and compare, instead of asking for changes. */
    full: z.boolean(),
    /** Whether to store everything anew: what the newest snapshot needs is damaged. */
    startOver: z.boolean().optional(),
  }),
  output: z.object({
    laneBudgetMs: z.int().positive(),
    /** The id that the run has from now on, where the other does not sort after the snapshots that are there. */
    runId: RunId.optional(),
    damage: Damage.optional(),
    /** The run that died, and how far it had come. */
    unfinished: z.object({ runId: RunId, started: z.iso.datetime(), progress: BackupProgress }).optional(),
  }),
  retry: OUTAGE_RETRY,
});

/** Items of a wave by outcome. `bytes` are of the raw streams, `storedBytes` what they take in packs. */
const WaveCounts = z.object({
  exported: Count,
  skipped: Count,
  failed: Count,
  again: Count.default(0),
  bytes: Count,
  storedBytes: Count,
});

/**
 * One wave: lanes plan and export, with `slots` requests at a time, until all is done or time is up. The first wave
 * finds the folders.
 */
export const exportWave = defineActivity({
  name: "export-wave",
  input: Run.extend({
    wave: Count,
    slots: z.int().positive().max(MAILBOX_SLOTS),
    /** The hold on these slots. */
    hold: SlotHold.optional(),
    budgetMs: z.int().positive(),
    position: RunPosition,
    /** Whether packs may be there that no wave recorded: those of a job that died. */
    mayBePacked: z.literal(true).optional(),
    /** Whether it only exports what is planned. */
    stopPlanning: z.literal(true).optional(),
    /** The jobs whose wishes it heeds while it works. */
    jobs: z.array(z.string().min(1)).optional(),
  }),
  output: LaneTraffic.extend(WaveCounts.shape).extend({
    position: RunPosition,
    /** Items of the chunks that it planned. */
    planned: Count,
    removed: Count,
    /** Items that the run is expected to find, where a number is known. */
    expectedItems: Count,
    /** What the run follows is damaged, so that it cannot go on: all is to be stored anew. */
    damage: Damage.optional(),
    /** It was told to pause or to end, and has begun nothing since. */
    told: z.literal(true).optional(),
  }),
  retry: OUTAGE_RETRY,
});

/** Writes the snapshot's manifest from the parts of the run, then moves the head. */
export const commitSnapshot = defineActivity({
  name: "commit-snapshot",
  input: Run.extend({
    trigger: Trigger,
    totals: BackupTotals,
    /** Waves of the run. Each has kept a record. */
    waves: Count,
    /** Whether planning was stopped before its end: the snapshot is partial then, and says of which folders. */
    unplanned: z.literal(true).optional(),
  }),
  output: z.object({
    /** The newest snapshot now: this run's, or the one before it when nothing had changed. */
    snapshotId: RunId,
    state: z.enum(["complete", "partial"]),
    quiet: z.boolean(),
    items: Count,
    bytes: Count,
    /** As in a wave: there is no such snapshot then. */
    damage: Damage.optional(),
  }),
  retry: OUTAGE_RETRY,
});

export const BackupMailboxInput = z.object({
  mailbox: MailboxRef,
  trigger: Trigger,
  full: z.boolean().default(false),
  /** The job that it is a part of. */
  partOf: z.string().min(1).optional(),
  /** When it ends though it is not done, for the job that waits for it. It then says how to go on. */
  until: z.iso.datetime().optional(),
  /** What earlier runs of this job did. */
  earlier: BackupTotals.optional(),
  /** What an earlier run of this job met. */
  damage: Damage.optional(),
  /** Set when a run begins in place of one that damage kept from going on: it stores everything anew. */
  startOver: z.literal(true).optional(),
  /** The name under which it holds slots. */
  holder: z.string().min(1).optional(),
  /** What it has waited for since it last did something. */
  wait: Wait.optional(),
  /** Set when a generation goes on where the last one ended. */
  resume: z
    .object({
      runId: RunId,
      /** When the run began, where it was opened by a version that says so. */
      started: z.iso.datetime().optional(),
      /** Whether the run began in a job that died. */
      isAdopted: z.literal(true).optional(),
      damage: Damage.optional(),
      laneBudgetMs: z.int().positive(),
      progress: BackupProgress,
    })
    .optional(),
});
export type BackupMailboxInput = z.output<typeof BackupMailboxInput>;

/** The newest snapshot after a mailbox's backup, and the totals of its runs. */
export const BackupMailboxResult = commitSnapshot.output.extend({ totals: BackupTotals });
export type BackupMailboxResult = z.output<typeof BackupMailboxResult>;

/** A backup that is not done when its time is over: the input of a job of its own that goes on. */
export const UnfinishedBackup = z.object({ goesOn: BackupMailboxInput, totals: BackupTotals });
export type UnfinishedBackup = z.output<typeof UnfinishedBackup>;

/** A backup that was cancelled. What it has exported is in scratch data, where the next one finds it. */
export const CancelledBackup = Cancelled.extend({ totals: BackupTotals });
export type CancelledBackup = z.output<typeof CancelledBackup>;

/** Mailboxes by outcome, the items and raw bytes that their runs exported, and why some failed. */
export const BackupOutcomes = z.object({
  complete: Count,
  partial: Count,
  failed: Count,
  /** Those whose backups go on as jobs of their own. */
  goesOn: Count.default(0),
  failures: z.array(PartFailure),
  items: Count,
  bytes: Count,
  stopped: Cancelled.shape.stopped.optional(),
});
export type BackupOutcomes = z.output<typeof BackupOutcomes>;

export const BackupTenantResult = BackupOutcomes.extend(LeftOutCounts.shape);
export type BackupTenantResult = z.output<typeof BackupTenantResult>;

export const BackupTenantInput = z.object({
  trigger: Trigger,
  full: z.boolean().default(false),
  /** Users whose mailboxes to back up instead of all in scope. */
  only: z.array(z.string().min(1)).optional(),
  /** Mailboxes that are backed up at the same time. */
  window: z.int().positive(),
  /** Set in a later generation: the run, its queue, when it ends, and how often its places were lost. */
  resume: z
    .object({ tenantRun: RunId, queue: BackupQueue, until: z.iso.datetime().optional(), lost: Count })
    .optional(),
});
export type BackupTenantInput = z.output<typeof BackupTenantInput>;
