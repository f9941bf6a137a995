import * as z from "zod";
import { ExchangeIdFormat } from "../../shared/contracts/id-formats.ts";
import { RunId, SnapshotId } from "../../shared/contracts/ids.ts";
import { ItemQuery } from "../../shared/contracts/item-query.ts";
import { LaneTraffic, Spending } from "../../shared/contracts/lane.ts";
import { MAILBOX_SLOTS } from "../../shared/contracts/limits.ts";
import { MailboxRef } from "../../shared/contracts/mailbox.ts";
import { defineActivity } from "../../shared/durable/activity.ts";
import { orAway } from "../../shared/durable/outages.ts";
import { Wait } from "../../shared/durable/waits.ts";
import { SlotHold } from "../slots/slots.contract.ts";
import { ChunkRange } from "./chunk-ranges.contract.ts";
import { StepSlots, Unfinished } from "./paging/paged.contract.ts";

const Count = z.int().nonnegative();

/** Outages are waited for by the orchestrator; this covers crashes. */
const OUTAGE_RETRY = { firstIntervalMs: 10_000, attempts: 5, backoff: 2 };

/** Most items that a request names by id, so that they fit its body. Our own choice. */
export const MAX_ITEMS = 1_000;

/**
 * What to bring back: everything; folders by id, path or well-known name, with the folders below unless `children` is
 * false; items by id, in the format that is named or that their shape shows; or the items that a query finds.
 */
export const Selection = z.union([
  z.strictObject({ all: z.literal(true) }),
  z.strictObject({ folders: z.array(z.string().min(1)).min(1).max(1_000), children: z.boolean().optional() }),
  z.strictObject({
    items: z.array(z.string().min(1).max(1_024)).min(1).max(MAX_ITEMS),
    format: ExchangeIdFormat.optional(),
  }),
  z.strictObject({ query: ItemQuery }),
]);
export type Selection = z.output<typeof Selection>;

/** A selection in an orchestrator's input. One that may be long, or name people, is kept in scratch data instead. */
const SelectionInput = z.union([...Selection.options, z.strictObject({ kept: z.literal(true) })]);
export type SelectionInput = z.output<typeof SelectionInput>;

/** Where to: a new folder, or the folders that the items came from. */
export const Target = z.enum(["new-folder", "original"]);
export type Target = z.output<typeof Target>;

/** Which restores of a list start first, and which are served first. */
export const Priority = z.enum(["high", "normal", "low"]);
export type Priority = z.output<typeof Priority>;

/** What to do with an item that has a copy in its target folder: skip it, import it as well, or replace the copy. */
export const OnConflict = z.enum(["skip", "duplicate", "replace"]);
export type OnConflict = z.output<typeof OnConflict>;

/** The restore that an activity works for, and the mailbox to restore into. Its id names its scratch data. */
const Restore = z.object({
  restoreId: RunId,
  mailbox: MailboxRef,
  /** Whether it has that mailbox to itself. Absent for restores that began before they had. */
  exclusive: z.boolean().optional(),
  /** The jobs whose wishes it heeds while it works. */
  jobs: z.array(z.string().min(1)).optional(),
});

export type RestoreActivityInput = z.output<typeof Restore>;

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

/**
 * Why a restore ended before its plan did. `full`: the mailbox, or a folder, takes nothing more. `not-permitted`: a
 * fresh import session refused every item. Both have Exchange's `code`. `cancelled`: it was told to end. `failed`: the
 * job's error says why.
 */
export const Stopped = z.object({
  reason: z.enum(["full", "not-permitted", "cancelled", "failed"]),
  code: z.string().optional(),
  /** The error of a job that failed. */
  detail: z.string().optional(),
  /** Its report says what it knows to have imported: the mailbox could not be looked at. */
  unseen: z.literal(true).optional(),
});
export type Stopped = z.output<typeof Stopped>;

/** The limit that decides the speed of a restore. */
const Bound = z.enum(["slots", "requests", "bytes"]);

/** What a restore is to do: which items of a mailbox's snapshot, and where to. */
const PlanInput = z.object({
  restoreId: RunId,
  /** The mailbox that was backed up. */
  mailbox: MailboxRef,
  /** The mailbox to restore into when it is another one. */
  into: MailboxRef.optional(),
  snapshotId: SnapshotId,
  select: SelectionInput,
  target: Target,
  onConflict: OnConflict.optional(),
  /** The dry run whose plan to carry out, as it was reviewed. */
  planOf: RunId.optional(),
  /** Whether it has the mailbox that it restores into to itself. A dry run needs nothing of the kind. */
  exclusive: z.boolean().optional(),
  /** The jobs whose wishes it heeds while it works. */
  jobs: z.array(z.string().min(1)).optional(),
});

/** What a restore will do. */
export const RestorePlan = z.object({
  items: Count,
  present: Count,
  /** Those of the items that replace a live one. */
  replaced: Count.optional(),
  bytes: Count,
  chunks: Count,
  folders: Count,
  foldersToCreate: Count,
  /** Requests for folders, the session, each item, and the pages of the comparison at the end. */
  requests: Count.optional(),
  /** From the plan to the report, if nothing else uses the mailbox and the estimate of a request's time holds. */
  expectedSeconds: Count.optional(),
  /** An estimate, from requests made while planning. */
  secondsPerRequest: z.number().positive().optional(),
  boundBy: Bound.optional(),
  laneBudgetMs: z.int().positive(),
});
export type RestorePlan = z.output<typeof RestorePlan>;

/**
 * Goes on with a plan: resolves the selection and leaves out items that the target has already, or adopts the plan of a
 * dry run.
 */
export const planRestore = defineActivity({
  name: "plan-restore",
  input: PlanInput.extend(StepSlots.shape),
  output: orAway(z.union([Unfinished, RestorePlan])),
  retry: OUTAGE_RETRY,
});

/** Creates the folders of the plan that do not exist yet. */
export const ensureFolders = defineActivity({
  name: "ensure-folders",
  input: Restore,
  output: orAway(z.object({ created: Count, stopped: Stopped.optional() })),
  retry: OUTAGE_RETRY,
});

/** An import session, sealed: its URL is a credential. */
export const ImportSession = z.object({ sealed: z.string().min(1), expires: z.iso.datetime() });
export type ImportSession = z.output<typeof ImportSession>;

export const createImportSession = defineActivity({
  name: "create-import-session",
  input: Restore,
  output: orAway(ImportSession),
  retry: OUTAGE_RETRY,
});

/** Imports the items of chunks, `slots` requests at a time, until all are settled or time is up; `left`: unfinished. */
export const uploadWave = defineActivity({
  name: "upload-wave",
  input: Restore.extend({
    slots: z.int().positive().max(MAILBOX_SLOTS),
    /** The hold on these slots. */
    hold: SlotHold.optional(),
    pending: z.array(ChunkRange).min(1),
    session: ImportSession,
    /** Whether the session was opened for this wave. */
    fresh: z.boolean().optional(),
    /** What earlier waves did. */
    totals: RestoreTotals.optional(),
    budgetMs: z.int().positive(),
    /** What earlier waves sent and Exchange's limits still count. */
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
    /** Where the session ended: items that were settled, also those of unfinished chunks. */
    settled: Count.optional(),
    /** Graph or storage is away: `waitMs` is what they ask for, and may be 0. */
    away: z.literal(true).optional(),
    /** The job was told to pause or to end: nothing was begun after that. */
    told: z.literal(true).optional(),
    stopped: Stopped.optional(),
    spent: z.array(Spending),
  }),
  retry: OUTAGE_RETRY,
});

/** What a restore did, by the comparison at its end. `stopped`: items are missing since it ended early. */
export const RestoreResult = z.object({
  imported: Count,
  replaced: Count,
  present: Count,
  ambiguous: Count,
  failed: Count,
  missing: Count,
  bytes: Count,
  /** Copies of its items that came since it began, beyond those that it was to make. */
  surplus: Count.optional(),
  stopped: Stopped.optional(),
});
export type RestoreResult = z.output<typeof RestoreResult>;

/** Goes on with comparing the target with the plan, and writes the report. */
export const reconcileRestore = defineActivity({
  name: "reconcile-restore",
  input: Restore.extend({ ...StepSlots.shape, snapshotId: SnapshotId.optional(), stopped: Stopped.optional() }),
  output: orAway(z.union([Unfinished, RestoreResult])),
  retry: OUTAGE_RETRY,
});

export const RestoreMailboxInput = PlanInput.extend({
  dryRun: z.boolean(),
  /** Of a restore in a list: its place among those that want the mailbox's slots. */
  priority: Priority.optional(),
  /** The list of restores that it is a part of, as a job. */
  partOf: z.string().min(1).optional(),
  /** The name under which it holds slots. */
  holder: z.string().min(1).optional(),
  /** What it has waited for since it last did something. */
  wait: Wait.optional(),
  /** Set when a generation goes on where the last one ended. */
  resume: z
    .object({
      plan: RestorePlan,
      pending: z.array(ChunkRange),
      lanes: z.int().positive(),
      spent: z.array(Spending).default([]),
      totals: RestoreTotals,
      /** Whether the folders of the plan are made. */
      foldersMade: z.boolean().default(true),
    })
    .optional(),
  /** Why it ends before its plan does: it has only to report. */
  stopped: Stopped.optional(),
});
export type RestoreMailboxInput = z.output<typeof RestoreMailboxInput>;

/** What a restore was asked to do, without what it has come to. */
export const RestoreOrder = RestoreMailboxInput.omit({
  resume: true,
  wait: true,
  holder: true,
  partOf: true,
  stopped: true,
});
export type RestoreOrder = z.output<typeof RestoreOrder>;
