import * as z from "zod";
import { RunId } from "../../shared/contracts/ids.ts";
import { type Blobs, jsonBytes, readJson, required } from "../../shared/storage/blobs.ts";
import { createAnew, createOnce } from "../../shared/storage/create-once.ts";
import { PutRecord } from "../../shared/vault/records.ts";
import { OnConflict, Selection, type SelectionInput } from "./restore.contract.ts";

const Count = z.int().nonnegative();

/** A folder to restore into: a live one, or one to create below its parent. Parents come before children. */
export const TargetFolder = z.object({
  /** The folder of the snapshot whose items go here; empty for the new top folder of a restore. */
  sourceId: z.string(),
  displayName: z.string(),
  type: z.string(),
  parentSourceId: z.string().optional(),
  liveId: z.string().optional(),
  /** Where the live folder was when the restore was planned. */
  path: z.string().optional(),
  /** Items that are not restored, since the folder held a copy of them when the restore was planned. */
  present: Count.optional(),
});
export type TargetFolder = z.output<typeof TargetFolder>;

/**
 * What a restore will do. The names of its chunks contain its generation, so that two deliveries cannot mix theirs.
 * They are kept with the restore, or with the dry run whose plan it carries out.
 */
export const RestorePlanState = z.object({
  generation: z.string().min(1),
  chunksOf: RunId.optional(),
  /** By Exchange's own clock, if that was known. */
  started: z.iso.datetime(),
  /** Absent in plans from before this field existed. */
  onConflict: OnConflict.optional(),
  items: Count,
  present: Count,
  replaced: Count.default(0),
  bytes: Count,
  /** Bytes of the bodies of its imports. */
  bodyBytes: Count.default(0),
  /** Pages of the listing for the comparison at the end. */
  pages: Count.default(0),
  /** The estimate of how long one request takes. */
  secondsPerRequest: z.number().positive().default(1),
  chunks: Count,
  folders: z.array(TargetFolder),
});
export type RestorePlanState = z.output<typeof RestorePlanState>;

/** An item to import; `replaces` is the live item to replace, as it was when the restore was planned. */
export const RestoreItem = PutRecord.extend({
  replaces: z.object({ id: z.string().min(1), changeKey: z.string() }).optional(),
});
export type RestoreItem = z.output<typeof RestoreItem>;

const RestoreChunk = z.array(RestoreItem);

/** The id of the live folder, by the id of the folder in the snapshot. */
export const FolderMap = z.record(z.string(), z.string());
export type FolderMap = z.output<typeof FolderMap>;

const prefix = (restoreId: RunId): string => `restore-${restoreId}/`;
const planName = (restoreId: RunId): string => `${prefix(restoreId)}plan.json`;
const foldersName = (restoreId: RunId): string => `${prefix(restoreId)}folders.json`;
const chunkName = (restoreId: RunId, generation: string, chunk: number): string =>
  `${prefix(restoreId)}plan-${generation}/c${String(chunk).padStart(6, "0")}.json`;

/** The name of the ledger of one chunk. */
export const ledgerName = (restoreId: RunId, chunk: number): string =>
  `${ledgersPrefix(restoreId)}c${String(chunk).padStart(6, "0")}.jsonl`;
export const ledgersPrefix = (restoreId: RunId): string => `${prefix(restoreId)}ledger/`;
const claimName = (planOf: RunId): string => `${prefix(planOf)}carried-out-by.json`;
const selectionName = (restoreId: RunId): string => `${prefix(restoreId)}selection.json`;
export const reportName = (restoreId: RunId): string => `${prefix(restoreId)}report.json`;
/** Versions of imported items, as far as only the comparison at the end saw them. */
export const versionsName = (restoreId: RunId): string => `${prefix(restoreId)}versions.json`;
/** Which undo of the restore was asked for last. */
export const undoneByName = (restoreId: RunId): string => `${prefix(restoreId)}undone-by.json`;

export const keepRestoreChunk = async (
  work: Blobs,
  restoreId: RunId,
  generation: string,
  chunk: number,
  items: readonly RestoreItem[],
): Promise<void> => {
  await work.create(chunkName(restoreId, generation, chunk), jsonBytes(items));
};

/** Keeps the plan of a restore, unless another delivery did; returns the plan that stands. */
export const keepRestorePlan = (
  work: Blobs,
  restoreId: RunId,
  plan: z.input<typeof RestorePlanState>,
): Promise<RestorePlanState> => createOnce(work, planName(restoreId), RestorePlanState, RestorePlanState.parse(plan));

/** Makes the plan of a dry run, with its folders and chunks, the plan of a restore. Returns the plan that stands. */
export const adoptRestorePlan = async (
  work: Blobs,
  restoreId: RunId,
  planOf: RunId,
  started: string,
): Promise<RestorePlanState> => {
  const plan = await readRestorePlan(work, planOf);
  return keepRestorePlan(work, restoreId, { ...plan, chunksOf: planOf, started });
};

/** Keeps a selection in scratch data, unless it selects all; returns the selection for the orchestrator's input. */
export const keepSelection = async (work: Blobs, restoreId: RunId, select: Selection): Promise<SelectionInput> => {
  if ("all" in select) return select;
  await createAnew(work, selectionName(restoreId), jsonBytes(select));
  return { kept: true };
};

export const readSelection = async (work: Blobs, restoreId: RunId, select: SelectionInput): Promise<Selection> =>
  "kept" in select
    ? required(await readJson(work, selectionName(restoreId), Selection), `Restore ${restoreId} has no selection`)
    : select;

/** Claims the plan of a dry run for a restore, unless another one did; returns the restore that carries it out. */
export const claimRestorePlan = (work: Blobs, planOf: RunId, restoreId: RunId): Promise<RunId> =>
  createOnce(work, claimName(planOf), RunId, restoreId);

/** The restore that carries out the plan of a dry run; `undefined` when none does. */
export const findCarrier = (work: Blobs, planOf: RunId): Promise<RunId | undefined> =>
  readJson(work, claimName(planOf), RunId);

export const findRestorePlan = (work: Blobs, restoreId: RunId): Promise<RestorePlanState | undefined> =>
  readJson(work, planName(restoreId), RestorePlanState);

/** @throws {Error} when there is no such plan, or it has expired. */
export const readRestorePlan = async (work: Blobs, restoreId: RunId): Promise<RestorePlanState> =>
  required(await findRestorePlan(work, restoreId), `Restore ${restoreId} has no plan`);

export const readRestoreChunk = async (
  work: Blobs,
  restoreId: RunId,
  { generation, chunksOf = restoreId }: Pick<RestorePlanState, "generation" | "chunksOf">,
  chunk: number,
): Promise<RestoreItem[]> =>
  required(
    await readJson(work, chunkName(chunksOf, generation, chunk), RestoreChunk),
    `Restore ${restoreId} has no chunk ${chunk}`,
  );

export const keepFolderMap = async (work: Blobs, restoreId: RunId, map: FolderMap): Promise<void> => {
  await work.create(foldersName(restoreId), jsonBytes(map));
};

export const findFolderMap = (work: Blobs, restoreId: RunId): Promise<FolderMap | undefined> =>
  readJson(work, foldersName(restoreId), FolderMap);

export const readFolderMap = async (work: Blobs, restoreId: RunId): Promise<FolderMap> =>
  required(await findFolderMap(work, restoreId), `Restore ${restoreId} has no folders yet`);
