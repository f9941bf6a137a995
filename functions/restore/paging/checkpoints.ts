import { randomBytes } from "node:crypto";
import * as z from "zod";
import { mapBounded } from "../../../shared/bounded.ts";
import type { RunId } from "../../../shared/contracts/ids.ts";
import { type Blobs, readJson, required, UnreadableBlobError } from "../../../shared/storage/blobs.ts";
import { createOnce } from "../../../shared/storage/create-once.ts";

/** Blobs that are removed at the same time. */
const REMOVALS = 16;

/** What is done in steps: planning a restore, or comparing it with its target at its end. */
export type PagedWork = "planning" | "comparing";

/** What every checkpoint has beside the state of its work. */
const Stamp = z.object({
  /** When it was written. */
  at: z.number(),
  /** Since when the restore has its mailbox. */
  tenure: z.number().optional(),
});

/**
 * The checkpoints of a piece of work, each a blob that is created once: the first writer decides how the work goes on,
 * and who comes second goes on from there. An attempt that is given up is followed by another one, from the beginning.
 */
export interface Checkpoints<S> {
  /** Where the work stands; `undefined` before it began. */
  readonly last: Checkpoint<S> | undefined;
  /** Keeps the next checkpoint of an attempt, and returns the one that stands. */
  keep(attempt: number, number: number, state: S): Promise<S>;
  /** A name for data of this delivery alone. */
  nameFor(attempt: number, kind: string): string;
}

interface Checkpoint<S> {
  readonly attempt: number;
  readonly number: number;
  /** Absent where the work cannot go on from it: it was left for too long, or written by another version of the app. */
  readonly state: S | undefined;
  /** Whether it was left alone for longer than steps follow each other: see `Stages.afterRest`. */
  readonly isRested: boolean;
}

/**
 * Work that was left alone for longer is begun anew. Longer than the longest wait that a `Retry-After` is taken for, an
 * hour, after which there must be something to go on from.
 */
const FRESH_MS = 90 * 60_000;

/** Steps that follow each other are some seconds apart. Our own choice. */
const RESTED_MS = 3 * 60_000;

const prefixOf = (restoreId: RunId, kind: PagedWork): string => `restore-${restoreId}/${kind}/`;
const checkpointsOf = (restoreId: RunId, kind: PagedWork): string => `${prefixOf(restoreId, kind)}checkpoints/`;
const padded = (number: number): string => String(number).padStart(6, "0");

/** Reads where a piece of work stands. */
export const openCheckpoints = async <S extends object>(
  work: Blobs,
  { restoreId, kind, tenure }: { readonly restoreId: RunId; readonly kind: PagedWork; readonly tenure?: number },
  schema: z.ZodType<S>,
): Promise<Checkpoints<S>> => {
  const stamped = z.object({ stamp: Stamp, state: schema });
  const delivery = randomBytes(6).toString("hex");
  let names = 0;
  let newest: string | undefined;
  for await (const { name } of work.list(checkpointsOf(restoreId, kind))) newest = name;
  const read = async (name: string): Promise<Checkpoint<S>> => {
    const [, attempt, number] = /a(\d+)-c(\d+)\.json$/.exec(name) ?? [];
    const found = await readStamped(name);
    const restedMs = found === undefined ? 0 : Date.now() - found.stamp.at;
    const isFresh = found?.stamp.tenure === tenure && restedMs < FRESH_MS;
    const state = isFresh ? found?.state : undefined;
    return { attempt: Number(attempt), number: Number(number), state, isRested: restedMs > RESTED_MS };
  };
  /** One that another version of the app wrote may be of another form. */
  const readStamped = async (name: string): Promise<z.output<typeof stamped> | undefined> => {
    try {
      return required(await readJson(work, name, stamped), `Restore ${restoreId} has no ${kind}`);
    } catch (error) {
      if (error instanceof UnreadableBlobError) return undefined;
      throw error;
    }
  };
  return {
    last: newest === undefined ? undefined : await read(newest),
    keep: async (attempt, number, state) => {
      const name = `${checkpointsOf(restoreId, kind)}a${padded(attempt)}-c${padded(number)}.json`;
      const stamp = { at: Date.now(), ...(tenure !== undefined && { tenure }) };
      return (await createOnce(work, name, stamped, { stamp, state })).state;
    },
    nameFor: (attempt, kindOfData) => {
      names += 1;
      const own = `${delivery}-${padded(names)}`;
      return `${prefixOf(restoreId, kind)}a${padded(attempt)}/${kindOfData}-${own}`;
    },
  };
};

/** Removes the checkpoints of work that is done, and what they name. */
export const removeCheckpoints = async (work: Blobs, restoreId: RunId, kind: PagedWork): Promise<void> => {
  const names: string[] = [];
  for await (const { name } of work.list(prefixOf(restoreId, kind))) names.push(name);
  await mapBounded(names.toReversed(), REMOVALS, (name) => work.remove(name));
};

/** The work cannot go on from its checkpoint: another attempt begins. */
export class BeginAnewError extends Error {
  override readonly name = "BeginAnewError";
}

/** Attempts that a step gives up, until it fails: the task hub delivers it again later. Our own choice. */
const MAX_GIVEN_UP = 3;

/** How a piece of work is done. */
export interface Stages<S> {
  /** The state in which an attempt begins. */
  begin(nameFor: (kind: string) => string): Promise<S>;
  /**
   * The state from which to go on some minutes after it was kept. The pages of a listing go on by position, and what
   * was added or removed meanwhile shifts them.
   */
  afterRest(state: S): S;
  /**
   * Goes on with the stage that a state is in. Yields a state whenever the work could go on from it, and returns the
   * one at the end of the stage, or of the step; `undefined` when there is no more to do.
   *
   * @throws {BeginAnewError} when the attempt cannot go on.
   */
  goOn(state: S, nameFor: (kind: string) => string): AsyncGenerator<S, S> | undefined;
}

/**
 * Goes on with a piece of work from its last checkpoint until it is done, or time is up. Returns the last state when it
 * is done.
 *
 * Run twice, also at the same time, both follow one chain of checkpoints: what the loser did since the last one is not
 * used.
 */
export const goOnFromCheckpoint = async <S>(
  checkpoints: Checkpoints<S>,
  stages: Stages<S>,
  isOver: () => boolean,
): Promise<S | undefined> => {
  const { last } = checkpoints;
  const kept = last?.state;
  let attempt = last === undefined ? 0 : last.attempt + Number(kept === undefined);
  let number = kept === undefined ? -1 : (last?.number ?? -1);
  let state = kept !== undefined && last?.isRested ? stages.afterRest(kept) : kept;
  let givenUp = 0;
  const nameFor = (kind: string): string => checkpoints.nameFor(attempt, kind);
  const keep = async (next: S): Promise<boolean> => {
    number += 1;
    state = await checkpoints.keep(attempt, number, next);
    return state === next;
  };
  const isDone = (): boolean => state !== undefined && stages.goOn(state, nameFor) === undefined;
  /** Until the end of the stage or of the step, or until another step is found to have come further. */
  const goOnWithStage = async (from: S): Promise<void> => {
    const stage = stages.goOn(from, nameFor);
    for (let next = await stage?.next(); stage !== undefined && next !== undefined; next = await stage.next()) {
      const { done, value } = next;
      const isOwn = value === state || (await keep(value));
      if (done) return;
      if (isOwn && !isOver()) continue;
      await stage.return(value);
      return;
    }
  };
  for (;;) {
    try {
      if (state === undefined) await keep(await stages.begin(nameFor));
      while (!isDone()) {
        await goOnWithStage(state as S);
        if (isOver()) return isDone() ? state : undefined;
      }
      return state;
    } catch (error) {
      if (!(error instanceof BeginAnewError) || givenUp === MAX_GIVEN_UP) throw error;
      givenUp += 1;
      attempt += 1;
      number = -1;
      state = undefined;
    }
  }
};
