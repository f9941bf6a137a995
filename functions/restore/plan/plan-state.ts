import * as z from "zod";
import type { RunId } from "../../../shared/contracts/ids.ts";
import { type Blobs, readJson, required } from "../../../shared/storage/blobs.ts";
import { createOnce } from "../../../shared/storage/create-once.ts";
import { FolderFacts, PutRecord } from "../../../shared/vault/records.ts";
import { Listing } from "../paging/list-target.ts";
import { MergedRuns } from "../paging/sorted-runs.ts";
import { RestoreItem, TargetFolder } from "../restore-state.ts";

const Count = z.int().nonnegative();

/** A folder of the target. */
const SurveyedFolder = z.object({ ...FolderFacts.shape, itemCount: Count });

/** What a plan goes by of its target, as it was when planning began. */
export const PlanSurvey = z.object({
  live: z.array(SurveyedFolder),
  /** The target of each selected folder, and of folders above that are needed too. */
  selected: z.array(TargetFolder),
});
export type PlanSurvey = z.output<typeof PlanSurvey>;

/** The folders that the restore needs. */
const NeededFolders = z.array(TargetFolder);

/** Numbers of items, by the index of their folder among those that are selected. */
const CountsByFolder = z.record(z.string(), Count);

/**
 * How far a restore is planned: `items` of the snapshot are sorted, `live` ones listed, those of a `review` sorted, all
 * of them matched by search keys, what is left by `messages`, and what is to be imported `cut` into chunks.
 */
export const PlanState = z.object({
  stage: z.enum(["items", "live", "review", "match", "messages", "cut", "planned"]),
  /** Of its chunks. */
  generation: z.string().min(1),
  /** Names the survey, and the folders. */
  data: z.string().min(1),
  /** Items of the snapshot that are sorted, and whether one of them has no search key. */
  sorted: Count,
  keyless: z.boolean(),
  inUse: CountsByFolder,
  listing: Listing,
  /** Whether a live item has no search key, so that it has to be matched by its message. */
  liveKeyless: z.boolean(),
  /** Chunks of a reviewed plan that are sorted. */
  reviewed: Count,
  /** Everything that is sorted by copies, and then by messages. */
  copies: MergedRuns,
  messages: MergedRuns,
  /** What is to be imported, by rank. */
  planned: MergedRuns,
  items: Count,
  present: Count,
  replaced: Count,
  bytes: Count,
  bodyBytes: Count,
  arrivingIn: CountsByFolder,
  presentIn: CountsByFolder,
  chunks: Count,
});
export type PlanState = z.output<typeof PlanState>;

/** A live item of a target folder. */
const LiveEntry = z.object({
  t: z.literal("live"),
  id: z.string(),
  changeKey: z.string(),
  /** Whether it has a search key: only then are others with its key copies of it. */
  keyed: z.boolean(),
  /** The key of its message, where that may be needed. */
  message: z.string().optional(),
});

/** An item of the snapshot. The order of the snapshot decides which one gets a copy. */
const ItemEntry = z.object({ t: z.literal("item"), order: Count, item: PutRecord });

/** An item of a reviewed plan. */
const ReviewedEntry = z.object({
  t: z.literal("reviewed"),
  folderId: z.string(),
  id: z.string(),
  replaces: RestoreItem.shape.replaces,
});

export const CopyEntry = z.discriminatedUnion("t", [LiveEntry, ItemEntry, ReviewedEntry]);
export type CopyEntry = z.output<typeof CopyEntry>;
export type LiveEntry = z.output<typeof LiveEntry>;
export type ReviewedEntry = z.output<typeof ReviewedEntry>;

/** What is matched by its message: with the rank that the item has, and what a review says of it. */
export const MessageEntry = z.discriminatedUnion("t", [
  LiveEntry,
  ItemEntry.extend({ rank: z.string(), reviewed: ReviewedEntry.optional() }),
]);
export type MessageEntry = z.output<typeof MessageEntry>;

const surveyName = (data: string): string => `${data}/survey.json`;
const foldersName = (data: string): string => `${data}/folders.json`;

export const keepSurvey = (work: Blobs, data: string, survey: PlanSurvey): Promise<PlanSurvey> =>
  createOnce(work, surveyName(data), PlanSurvey, survey);

export const readSurvey = async (work: Blobs, data: string, restoreId: RunId): Promise<PlanSurvey> =>
  required(await readJson(work, surveyName(data), PlanSurvey), `Restore ${restoreId} has no survey`);

export const keepFolders = (work: Blobs, data: string, folders: readonly TargetFolder[]): Promise<TargetFolder[]> =>
  createOnce<TargetFolder[]>(work, foldersName(data), NeededFolders, [...folders]);

export const readFolders = async (work: Blobs, data: string, restoreId: RunId): Promise<TargetFolder[]> =>
  required(await readJson(work, foldersName(data), NeededFolders), `Restore ${restoreId} has no folders to plan for`);
