import * as z from "zod";
import { mapBounded } from "../../shared/bounded.ts";
import { MailboxKey, RunId } from "../../shared/contracts/ids.ts";
import { type Blobs, jsonBytes, readJson, required } from "../../shared/storage/blobs.ts";
import { blobsBelow } from "../../shared/storage/blobs-below.ts";
import { createOnce } from "../../shared/storage/create-once.ts";
import { PartRef } from "../../shared/vault/manifest.ts";
import { PackName } from "../../shared/vault/names.ts";
import { FolderFacts, ItemFacts, Problem, Sha256 } from "../../shared/vault/records.ts";
import { exportWave } from "./backup.contract.ts";

const Count = z.int().nonnegative();

/** Records that are read at the same time. */
const READS = 8;

/** An item to export. `refused` says how an earlier run failed to, and since when that goes on. */
export const PlannedItem = ItemFacts.extend({
  refused: z.object({ code: z.string(), since: z.iso.datetime() }).optional(),
});
export type PlannedItem = z.output<typeof PlannedItem>;

/** A folder that the run backs up, as it was when the run opened. */
export const RunFolder = FolderFacts.extend({
  itemCount: Count,
  /** Whether this run read `itemCount`; else it is that of the last snapshot, or 0 where none is known. */
  isCounted: z.boolean().optional(),
  /** The `itemCount` of the previous snapshot, and how many items that had when the two agreed. */
  itemCountBefore: Count.optional(),
  heldItems: Count.optional(),
  /** Whether the previous snapshot has the folder, so that items must be compared with those of the snapshot. */
  known: z.boolean(),
  /** The end of the last delta round over its items. */
  deltaLink: z.string().optional(),
  /** Items that the previous snapshot could not store. */
  retry: z.array(PlannedItem),
  /** Items that it left out for good, in the versions that they had. */
  lost: z.array(PlannedItem).default([]),
});
export type RunFolder = z.output<typeof RunFolder>;

const Pin = z.object({ id: RunId, sha256: Sha256 });

/**
 * How many items the last snapshot has of a folder, where that agrees with the number that Graph tells now. It has none
 * of a folder that is new.
 */
export const agreedItems = ({ known, itemCount, itemCountBefore, heldItems }: RunFolder): number | undefined => {
  if (!known) return itemCount === 0 ? 0 : undefined;
  return itemCount === itemCountBefore ? heldItems : undefined;
};

/** How a run was opened: the snapshot that it follows, its known damage, and whether everything is listed again. */
export const RunState = z.object({
  mailbox: MailboxKey,
  run: RunId,
  started: z.iso.datetime(),
  /** Null when the run stores everything: the snapshot becomes a base. */
  parent: Pin.nullable(),
  /** The snapshot before a base that does not need it. */
  before: Pin.optional(),
  full: z.boolean(),
  /** Packs of the snapshot that are known to be damaged: the run stores their items again. */
  damagedPacks: z.array(PackName).optional(),
  /** The id that the run has instead of the one that it was opened with. */
  renamed: RunId.optional(),
});
export type RunState = z.output<typeof RunState>;

/** The folders that a run found, in the order in which they are planned. */
export const RunFolders = z.object({
  folders: z.array(RunFolder),
  foldersDeltaLink: z.string().optional(),
  /** Whether they were listed, as there was no delta since the previous snapshot. */
  isListed: z.boolean(),
  /** The ids of those that the previous snapshot does not have, or not with these facts. */
  changed: z.array(z.string()),
  /** The ids of those of which the previous snapshot has another deltaLink. */
  relinked: z.array(z.string()),
  /** Folders that are not backed up, where the previous snapshot does not say so. */
  outside: z.array(FolderFacts),
  /** The ids of folders of the previous snapshot that are gone. */
  removed: z.array(z.string()),
  /** What is odd in Graph's answers about folders. */
  problems: z.array(Problem),
});
export type RunFolders = z.output<typeof RunFolders>;

/**
 * The phases of planning a folder: items that failed last time; then either the changes since its deltaLink, or its
 * listing and the delta round that confirms it.
 */
export const PlanPhase = z.enum(["retry", "changes", "list", "delta"]);
export type PlanPhase = z.output<typeof PlanPhase>;

/** Where planning goes on after a chunk. `carry` are items of the last page that did not fit into the chunk. */
export const PlanCursor = z.object({
  /** Index into the run's folders. */
  folder: Count,
  phase: PlanPhase,
  /**
   * The round of listing or delta that is under way, numbered through the run. What a round showed counts in that round
   * alone: one that begins anew, in this process or another, shows everything again.
   */
  generation: Count,
  /** Where the phase goes on: the next page or, of items to retry, the number of those before it. */
  link: z.string().optional(),
  /** How often Graph lost the delta state of this folder. */
  restarts: Count,
  /** Whether Graph refuses the folder's deltas, so that it is planned from its listing alone. */
  listOnly: z.boolean(),
  /** Whether the delta round under way left versions open that a listing has to tell. */
  unversioned: z.boolean().optional(),
  /** The end of a delta round that left versions open. The listing after it ends the folder. */
  deltaLink: z.string().optional(),
  /** The chunk in which this folder's first items may lie. */
  folderChunk: Count,
  carry: z.array(PlannedItem),
});
export type PlanCursor = z.output<typeof PlanCursor>;

/** An item that was removed from a folder: deleted, or moved to another one. */
export const Removal = z.object({ id: z.string(), folderId: z.string(), reason: z.string() });
export type Removal = z.output<typeof Removal>;

/** An item was removed, or reappeared after that. */
const PlanEvent = z.discriminatedUnion("op", [
  Removal.extend({ op: z.literal("removed") }),
  Removal.omit({ reason: true }).extend({ op: z.literal("reappeared") }),
]);

/**
 * What a folder holds by Graph's number, and how many items the books of the run have where the two agree. Where there
 * is a `problem`, the books may lack items or have too many, and the next run lists the folder.
 */
export const ComparedFolder = z.object({
  folderId: z.string(),
  itemCount: Count.optional(),
  heldItems: Count.optional(),
  problem: z.string().optional(),
});
export type ComparedFolder = z.output<typeof ComparedFolder>;

/** What the snapshot of a run has: live items with their raw bytes, and the folders of which items changed. */
export const LiveContent = z.object({ items: Count, bytes: Count, changed: z.array(z.string()) });
export type LiveContent = z.output<typeof LiveContent>;

/** What planning found beside items to export. */
export const Findings = z.object({
  /** Folders that are planned to their end, or as far as they can be: one that `failed` is not known whole. */
  finished: z.array(
    z.object({
      folderId: z.string(),
      deltaLink: z.string().optional(),
      failed: z.literal(true).optional(),
      /** It was listed, and not planned from the changes since its deltaLink. */
      listed: z.literal(true).optional(),
    }),
  ),
  /** In the order in which they happened: the last event of an item decides. */
  events: z.array(PlanEvent),
  /** What was odd or unclear. */
  problems: z.array(Problem).default([]),
});
export type Findings = z.output<typeof Findings>;

/**
 * A planned piece of work. Each chunk holds the cursor of the next one, so that chunks form a chain. The first writer
 * of a chunk decides it for all: a planner that is delivered twice follows the chain of the first.
 */
export const Chunk = Findings.extend({
  batches: z.array(z.array(PlannedItem).min(1)),
  /** Short hashes of the items that each generation showed; a planner that goes on needs those of its own. */
  seen: z.array(z.object({ generation: Count, items: z.array(z.string()) })),
  /** Absent in the last chunk. */
  next: PlanCursor.optional(),
});
export type Chunk = z.output<typeof Chunk>;

/** The result of a wave: that of the delivery that was first to keep it. Only the parts that it names count. */
export const WaveRecord = z.object({
  result: exportWave.output,
  /** The parts with the records of what it exported, in the order in which they apply. */
  parts: z.array(PartRef),
  findings: Findings,
  compared: z.array(ComparedFolder).default([]),
  live: LiveContent.optional(),
});
export type WaveRecord = z.output<typeof WaveRecord>;

const padded = (number: number): string => String(number).padStart(6, "0");
const runName = (runId: RunId): string => `${runId}/run.json`;
const foldersName = (runId: RunId): string => `${runId}/stock.json`;
const chunkName = (runId: RunId, chunk: number): string => `${runId}/plan/c${padded(chunk)}.json`;
const waveName = (runId: RunId, wave: number): string => `${runId}/waves/w${padded(wave)}.json`;

const read = async <T>(work: Blobs, name: string, schema: z.ZodType<T>): Promise<T> =>
  required(await readJson(work, name, schema), `The scratch data has no ${name}`);

/** The scratch data of a mailbox's runs. A run never sees that of another mailbox, even under the same run id. */
export const scratchOf = (work: Blobs, mailbox: MailboxKey): Blobs => blobsBelow(work, `${mailbox}/`);

/** Keeps how the run was opened, and returns the state that was kept first. */
export const keepRun = (work: Blobs, state: RunState): Promise<RunState> =>
  createOnce(work, runName(state.run), RunState, state);

export const findRun = (work: Blobs, runId: RunId): Promise<RunState | undefined> =>
  readJson(work, runName(runId), RunState);

/** @throws {Error} when the run was never opened, its scratch data has expired, or it is of another run. */
export const readRun = async (work: Blobs, mailbox: MailboxKey, runId: RunId): Promise<RunState> => {
  const state = await read(work, runName(runId), RunState);
  if (state.mailbox !== mailbox || state.run !== runId)
    throw new Error(`${runName(runId)} is of run ${state.run} of ${state.mailbox}, not of ${runId} of ${mailbox}`);
  return state;
};

export const findRunFolders = (work: Blobs, runId: RunId): Promise<RunFolders | undefined> =>
  readJson(work, foldersName(runId), RunFolders);

/** @throws {Error} when the run has found no folders yet, or its scratch data has expired. */
export const readRunFolders = (work: Blobs, runId: RunId): Promise<RunFolders> =>
  read(work, foldersName(runId), RunFolders);

/** Keeps the folders that were found, and returns those that were kept first. */
export const keepRunFolders = (work: Blobs, runId: RunId, folders: RunFolders): Promise<RunFolders> =>
  createOnce(work, foldersName(runId), RunFolders, folders);

export const findChunk = (work: Blobs, runId: RunId, chunk: number): Promise<Chunk | undefined> =>
  readJson(work, chunkName(runId, chunk), Chunk);

/** @throws {Error} when the chunk was not planned, or has expired. */
export const readChunk = (work: Blobs, runId: RunId, chunk: number): Promise<Chunk> =>
  read(work, chunkName(runId, chunk), Chunk);

/** Adds a chunk to the chain, and returns the one that was added first: this one, or that of another delivery. */
export const keepChunk = (work: Blobs, runId: RunId, number: number, chunk: Chunk): Promise<Chunk> =>
  createOnce(work, chunkName(runId, number), Chunk, chunk);

/** Notes that a wave has begun; false when an earlier delivery of it had begun before. */
export const beginWave = async (work: Blobs, runId: RunId, wave: number): Promise<boolean> =>
  (await work.create(`${runId}/begun/w${padded(wave)}`, jsonBytes(null))) === "created";

export const findWave = (work: Blobs, runId: RunId, wave: number): Promise<WaveRecord | undefined> =>
  readJson(work, waveName(runId, wave), WaveRecord);

export const keepWave = (work: Blobs, runId: RunId, wave: number, record: WaveRecord): Promise<WaveRecord> =>
  createOnce(work, waveName(runId, wave), WaveRecord, record);

/**
 * The records of a run's first waves, in their order.
 *
 * @throws {Error} when one is missing. A listing would show those that are left, and the snapshot would lack what the
 * others stored.
 */
export const readWaves = (work: Blobs, runId: RunId, waves: number): Promise<WaveRecord[]> =>
  mapBounded([...Array(waves).keys()], READS, (wave) => read(work, waveName(runId, wave), WaveRecord));

/** How many chunks or waves of a run are kept; `undefined` when one before the last is missing. */
export const countOf = async (work: Blobs, runId: RunId, kind: "plan" | "waves"): Promise<number | undefined> => {
  const nameAt = kind === "plan" ? chunkName : waveName;
  let count = 0;
  for await (const { name } of work.list(`${runId}/${kind}/`)) {
    if (name !== nameAt(runId, count)) return undefined;
    count += 1;
  }
  return count;
};

const endName = (runId: RunId): string => `${runId}/ended`;

/** Notes that a run ends without a snapshot of its own, so that none goes on with it. */
export const endRun = async (work: Blobs, runId: RunId): Promise<void> => {
  await work.create(endName(runId), jsonBytes(null));
};

export const hasEnded = async (work: Blobs, runId: RunId): Promise<boolean> =>
  (await work.info(endName(runId))) !== undefined;

/** What a backup's run keeps beside how it was opened. Verifications of the mailbox lie in the same place. */
const RUN_BLOBS = ["stock.json", "ended", "plan/", "waves/", "begun/", "adopted/", "catalogue/"];

/**
 * The blobs of a run, in the order in which they are to be removed: how it was opened comes first, as a run without it
 * is never gone on with.
 */
export const runBlobs = async (work: Blobs, runId: RunId): Promise<[opened: string, ...string[]]> => {
  const names: string[] = [];
  for (const kind of RUN_BLOBS) for await (const { name } of work.list(`${runId}/${kind}`)) names.push(name);
  return [runName(runId), ...names];
};
