import * as z from "zod";
import { RunId } from "../ids.ts";
import { type Blobs, readJson } from "../vault/blobs.ts";
import { FolderFacts, ItemFacts, Sha256 } from "../vault/records.ts";

const Count = z.int().nonnegative();

/** A folder that the run backs up, as it was when the run opened. */
export const RunFolder = FolderFacts.extend({
  itemCount: Count,
  /** Whether the previous snapshot has the folder, so that what it holds must be compared with. */
  known: z.boolean(),
  /** Where the last delta round over its items ended. */
  deltaLink: z.string().optional(),
  /** Items that the previous snapshot could not store. */
  retry: z.array(ItemFacts),
});
export type RunFolder = z.output<typeof RunFolder>;

/** What a run found when it opened. */
export const RunState = z.object({
  started: z.iso.datetime(),
  parent: z.object({ id: RunId, sha256: Sha256 }).nullable(),
  folders: z.array(RunFolder),
  foldersDeltaLink: z.string().optional(),
  /** Folders that are not backed up, for the run after this one. */
  otherFolders: z.array(FolderFacts).optional(),
});
export type RunState = z.output<typeof RunState>;

/**
 * How a folder is planned: what failed last time, then either the changes since its deltaLink, or its listing followed
 * by a delta round that confirms it.
 */
export const PlanPhase = z.enum(["retry", "changes", "list", "delta"]);
export type PlanPhase = z.output<typeof PlanPhase>;

/** Where planning goes on after a chunk. `carry` are items of a page that did not fit into the chunk any more. */
export const PlanCursor = z.object({
  /** Index into the run's folders. */
  folder: Count,
  phase: PlanPhase,
  link: z.string().optional(),
  /** How often Graph forgot where it stood in this folder. */
  restarts: Count,
  /** Whether the folder's deltas are refused, so that its listing must do. */
  listOnly: z.boolean(),
  /** The chunk in which this folder's first items may lie. */
  folderChunk: Count,
  carry: z.array(ItemFacts),
});
export type PlanCursor = z.output<typeof PlanCursor>;

/** An item that left a folder of the mailbox. */
export const Departure = z.object({ id: z.string(), folderId: z.string(), reason: z.string() });
export type Departure = z.output<typeof Departure>;

/** What planning found beside items to export: folders that are finished, and items that left, or left and came back. */
export const Findings = z.object({
  finished: z.array(z.object({ folderId: z.string(), deltaLink: z.string().optional() })),
  departed: z.array(Departure),
  returned: z.array(Departure.omit({ reason: true })),
});
export type Findings = z.output<typeof Findings>;

/**
 * A planned piece of work. Each chunk says how planning goes on after it, so that the chunks are a chain: whoever creates
 * a chunk first decides it for all, and a planner that is delivered twice follows the chain of the first.
 */
export const Chunk = Findings.extend({
  batches: z.array(z.array(ItemFacts).min(1)),
  /** Short hashes of the items that a first delta round showed: a planner that goes on must know them. */
  confirmed: z.array(z.string()),
  /** Absent in the last chunk. */
  next: PlanCursor.optional(),
});
export type Chunk = z.output<typeof Chunk>;

const runName = (runId: RunId): string => `${runId}/run.json`;
const chunkName = (runId: RunId, chunk: number): string => `${runId}/plan/c${String(chunk).padStart(6, "0")}.json`;
const findingsPrefix = (runId: RunId): string => `${runId}/findings/`;
const findingsName = (runId: RunId, from: number, to: number): string =>
  `${findingsPrefix(runId)}${[from, to].map((chunk) => String(chunk).padStart(6, "0")).join("-")}.json`;

const bytesOf = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));

/** Keeps what the run found, once: a second delivery gets what the first one kept. */
export const keepRun = async (work: Blobs, runId: RunId, state: RunState): Promise<RunState> => {
  const outcome = await work.create(runName(runId), bytesOf(RunState.parse(state)));
  return outcome === "created" ? state : readRun(work, runId);
};

/** @throws {Error} when the run was never opened, or its scratch data has expired. */
export const readRun = async (work: Blobs, runId: RunId): Promise<RunState> => {
  const state = await readJson(work, runName(runId), RunState);
  if (state === undefined) throw new Error(`Run ${runId} has no scratch data: it was never opened, or it is too old`);
  return state;
};

export const findChunk = (work: Blobs, runId: RunId, chunk: number): Promise<Chunk | undefined> =>
  readJson(work, chunkName(runId, chunk), Chunk);

/** @throws {Error} when the chunk was not planned, or has expired. */
export const readChunk = async (work: Blobs, runId: RunId, chunk: number): Promise<Chunk> => {
  const found = await findChunk(work, runId, chunk);
  if (found === undefined) throw new Error(`Run ${runId} has no chunk ${chunk}`);
  return found;
};

/** Adds a chunk to the chain, and gives what then is there: this one, or the one that another delivery added before. */
export const keepChunk = async (work: Blobs, runId: RunId, number: number, chunk: Chunk): Promise<Chunk> => {
  const outcome = await work.create(chunkName(runId, number), bytesOf(Chunk.parse(chunk)));
  return outcome === "created" ? chunk : readChunk(work, runId, number);
};

/** Keeps what was found in a stretch of the chain, so that a commit need not read every chunk. */
export const keepFindings = async (
  work: Blobs,
  runId: RunId,
  stretch: { readonly from: number; readonly to: number },
  chunks: readonly Findings[],
): Promise<void> => {
  const findings: Findings = {
    finished: chunks.flatMap(({ finished }) => finished),
    departed: chunks.flatMap(({ departed }) => departed),
    returned: chunks.flatMap(({ returned }) => returned),
  };
  await work.create(findingsName(runId, stretch.from, stretch.to), bytesOf(findings));
};

const itemKey = ({ folderId, id }: { folderId: string; id: string }): string => `${folderId}\n${id}`;

/** The delta link of every finished folder, and the items that had left when planning ended. */
export const readFindings = async (
  work: Blobs,
  runId: RunId,
): Promise<{ deltaLinks: Map<string, string>; departed: Departure[] }> => {
  const deltaLinks = new Map<string, string>();
  const departed = new Map<string, Departure>();
  for await (const { name } of work.list(findingsPrefix(runId))) {
    const findings = await readJson(work, name, Findings);
    for (const { folderId, deltaLink } of findings?.finished ?? [])
      if (deltaLink !== undefined) deltaLinks.set(folderId, deltaLink);
    for (const departure of findings?.departed ?? []) departed.set(itemKey(departure), departure);
    for (const item of findings?.returned ?? []) departed.delete(itemKey(item));
  }
  return { deltaLinks, departed: [...departed.values()] };
};
