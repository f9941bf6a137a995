import * as z from "zod";
import { Listing, NOTHING_LISTED } from "../paging/list-target.ts";
import { MergedRuns, NOTHING_SORTED, SortedRun } from "../paging/sorted-runs.ts";
import { Settled } from "../upload/ledger.ts";
import { FolderReport, ItemReport } from "./restore-report.ts";

const Count = z.int().nonnegative();

/** Outcomes of the planned items of one folder. */
const FolderCounts = FolderReport.omit({ folderId: true, path: true, alreadyThere: true });
export type FolderCounts = z.output<typeof FolderCounts>;

/** What the comparison has counted; of folders by their indices in the plan. */
export const Tally = z.object({
  imported: Count,
  replaced: Count,
  ambiguous: Count,
  failed: Count,
  missing: Count,
  bytes: Count,
  surplus: Count,
  folders: z.record(z.string(), FolderCounts),
});
export type Tally = z.output<typeof Tally>;

/**
 * How far a target is compared with a plan: its `live` items are sorted by id, then the plan's by the `outcomes` that
 * the ledgers tell; both are matched by `ids`, and what is left by `copies`.
 */
export const ComparisonState = z.object({
  stage: z.enum(["live", "outcomes", "ids", "copies", "compared"]),
  /** Whether the mailbox is not looked at: the ledgers alone are believed. */
  unseen: z.boolean(),
  /** When the restore was planned; of one that was not, when the comparison began. */
  started: z.iso.datetime(),
  listing: Listing,
  /** Chunks of the plan whose outcomes are sorted. */
  chunks: Count,
  byId: MergedRuns,
  byCopy: MergedRuns,
  /** Rows of the report, and versions of imported items, sorted. */
  rows: z.array(SortedRun),
  versions: z.array(SortedRun),
  tally: Tally,
});
export type ComparisonState = z.output<typeof ComparisonState>;

/** An item of a target folder. */
export const LiveEntry = z.object({
  t: z.literal("live"),
  folder: Count,
  id: z.string(),
  changeKey: z.string(),
  /** The key that its copies share, if it came since the restore began. */
  copy: z.string().optional(),
});
export type LiveEntry = z.output<typeof LiveEntry>;

/** An item of the plan, with what its ledger says of it. */
export const WantedEntry = z.object({
  t: z.literal("wanted"),
  /** Where it stands in the plan; sorts as that. */
  position: z.string(),
  folder: Count,
  id: z.string(),
  rawBytes: Count,
  /** The key that its copies share; absent when it has no search key, or no folder to be in. */
  copy: z.string().optional(),
  settled: Settled.optional(),
  /** Set when the live item that its import made was seen. */
  isThere: z.literal(true).optional(),
});
export type WantedEntry = z.output<typeof WantedEntry>;

export const ComparedEntry = z.discriminatedUnion("t", [LiveEntry, WantedEntry]);
export type ComparedEntry = z.output<typeof ComparedEntry>;

/** A row of the report. `unsettled`: no ledger says anything of the item. */
export const Row = ItemReport.extend({ unsettled: z.literal(true).optional() });
export type Row = z.output<typeof Row>;

/** The version of an imported item. */
export const Version = z.tuple([z.string(), z.string()]);
export type Version = z.output<typeof Version>;

export const beginning = (unseen: boolean, started: string): ComparisonState => ({
  stage: unseen ? "outcomes" : "live",
  unseen,
  started,
  ...{ listing: NOTHING_LISTED, chunks: 0 },
  ...{ byId: NOTHING_SORTED, byCopy: NOTHING_SORTED, rows: [], versions: [] },
  tally: { imported: 0, replaced: 0, ambiguous: 0, failed: 0, missing: 0, bytes: 0, surplus: 0, folders: {} },
});
