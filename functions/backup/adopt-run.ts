import { addCounts } from "../../shared/contracts/add-counts.ts";
import { type RunId, runStart, type SnapshotId } from "../../shared/contracts/ids.ts";
import { type Blobs, jsonBytes, UnreadableBlobError } from "../../shared/storage/blobs.ts";
import type { BackupProgress } from "./backup.contract.ts";
import { countOf, findRun, findRunFolders, hasEnded, type RunState, readWaves } from "./run-state.ts";
import { noProgress } from "./wave.steps.ts";

/** An older run is left: its scratch data goes, and so do the delta links that it would keep. Our own choice. */
const MAX_AGE_MS = 7 * 24 * 3_600_000;

/** How often a run is adopted at one wave. What fails there again and again would keep the mailbox from any backup. */
const MAX_TRIES_AT_A_WAVE = 3;

/** A run that died, and how far it had come. */
export interface UnfinishedRun {
  readonly runId: RunId;
  readonly started: string;
  readonly progress: BackupProgress;
}

/**
 * Finds a run of the mailbox that died, for a new one to go on with: it follows the same snapshot, did not end, is
 * newer than every snapshot, of which some may be lost, and its scratch data is whole. The one that has come farthest
 * is taken. Only one backup of a mailbox is alive at a time, so one that is found here is dead. An activity of it that
 * still runs does no harm: all that it writes is created once.
 *
 * Run twice, the try counts once, as it is noted under the run that adopts.
 */
export const adoptRun = async (
  work: Blobs,
  adopter: Pick<RunState, "run" | "mailbox" | "parent" | "before">,
  lastId: SnapshotId | undefined,
): Promise<UnfinishedRun | undefined> => {
  const now = runStart(adopter.run).getTime();
  let best: Candidate | undefined;
  for await (const runId of work.listFolders("")) {
    if (runId === adopter.run || runId <= (lastId ?? "") || now - runStart(runId).getTime() > MAX_AGE_MS) continue;
    const candidate = await candidateOf(work, runId, adopter);
    if (candidate !== undefined && candidate.waves >= (best?.waves ?? 0)) best = candidate;
  }
  if (best === undefined || !(await mayTry(work, best, adopter.run))) return undefined;

  const progress = await progressOf(work, best.runId, best.waves);
  const chunks = await countOf(work, best.runId, "plan");
  if (chunks === undefined || chunks < progress.position.nextChunk) return undefined;
  return { runId: best.runId, started: best.started, progress };
};

/** A run that may be gone on with, and how many waves it has kept. */
interface Candidate {
  readonly runId: RunId;
  readonly started: string;
  readonly waves: number;
}

const candidateOf = async (
  work: Blobs,
  runId: RunId,
  { mailbox, parent, before }: Pick<RunState, "mailbox" | "parent" | "before">,
): Promise<Candidate | undefined> => {
  try {
    const state = await findRun(work, runId);
    if (state?.mailbox !== mailbox || state.run !== runId) return undefined;
    if (!sameSnapshot(state.parent, parent) || !sameSnapshot(state.before, before)) return undefined;
    if ((await hasEnded(work, runId)) || (await findRunFolders(work, runId)) === undefined) return undefined;
    const waves = await countOf(work, runId, "waves");
    return waves === undefined ? undefined : { runId, started: state.started, waves };
  } catch (error) {
    if (error instanceof UnreadableBlobError) return undefined;
    throw error;
  }
};

const sameSnapshot = (one: RunState["parent"] | undefined, other: RunState["parent"] | undefined): boolean =>
  one?.id === other?.id && one?.sha256 === other?.sha256;

const mayTry = async (work: Blobs, { runId, waves }: Candidate, adopter: RunId): Promise<boolean> => {
  const tries = `${runId}/adopted/w${waves}-`;
  const earlier = new Set<string>();
  for await (const { name } of work.list(tries)) earlier.add(name);
  if (earlier.has(tries + adopter)) return true;
  if (earlier.size >= MAX_TRIES_AT_A_WAVE) return false;
  await work.create(tries + adopter, jsonBytes(null));
  return true;
};

const progressOf = async (work: Blobs, runId: RunId, waves: number): Promise<BackupProgress> => {
  const results = (await readWaves(work, runId, waves)).map(({ result }) => result);
  const last = results.at(-1);
  return {
    ...noProgress,
    wave: waves,
    ...(last && { position: last.position, expectedItems: last.expectedItems }),
    totals: results.reduce((totals, result) => addCounts(totals, result), noProgress.totals),
  };
};
