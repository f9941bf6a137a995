import * as z from "zod";
import { type Blobs, collect, parseJson, required } from "../../../shared/storage/blobs.ts";

const Count = z.int().nonnegative();

/** Bytes of all runs of a merge that are read at a time, and as many ahead: its memory, however many runs there are. */
const AHEAD_BYTES = 12 * 1024 * 1024;
const LEAST_AHEAD_BYTES = 32 * 1024;
const MOST_AHEAD_BYTES = 1024 * 1024;

const NEW_LINE = 10;

/** Lines that are encoded at a time, so that a run is in memory once. */
const LINES_AT_A_TIME = 200;

/** Something to sort, by a string. */
export interface Entry<T> {
  readonly key: string;
  readonly value: T;
}

/** A sorted run: a blob of JSON lines, each a key and a value, in the order of the keys. */
export const SortedRun = z.object({ name: z.string().min(1), bytes: Count });
export type SortedRun = z.output<typeof SortedRun>;

/** Sorted runs, and where the merge of all of them stands. */
export const MergedRuns = z.object({ runs: z.array(SortedRun), at: z.array(Count) });

export const NOTHING_SORTED = { runs: [], at: [] };

/** Sorts entries and keeps them as a run; none when there are no entries. */
export const keepRun = async <T>(blobs: Blobs, name: string, entries: readonly Entry<T>[]): Promise<SortedRun[]> => {
  if (entries.length === 0) return [];
  const sorted = entries.toSorted((a, b) => compare(a.key, b.key));
  const pieces: Buffer[] = [];
  for (let from = 0; from < sorted.length; from += LINES_AT_A_TIME) {
    const lines = sorted.slice(from, from + LINES_AT_A_TIME);
    pieces.push(Buffer.from(lines.map(({ key, value }) => `${JSON.stringify([key, value])}\n`).join("")));
  }
  const body = Buffer.concat(pieces);
  await blobs.create(name, body);
  return [{ name, bytes: body.length }];
};

/** Entries that have one key: those of the first run first. */
export interface Group<T> {
  readonly key: string;
  readonly values: readonly T[];
}

/** Sorted runs, read as one. */
export interface Merge<T> {
  /** The next group, in the order of keys; `undefined` after the last. */
  next(): Promise<Group<T> | undefined>;
  /** Where the next group begins in each run: a merge that begins there goes on with it. */
  at(): number[];
}

/** Merges runs, from their beginning or from where another merge stood. Memory does not grow with the runs. */
export const mergeRuns = async <T>(
  blobs: Blobs,
  runs: readonly SortedRun[],
  value: z.ZodType<T>,
  from: readonly number[] = [],
): Promise<Merge<T>> => {
  const ahead = Math.min(MOST_AHEAD_BYTES, Math.max(LEAST_AHEAD_BYTES, Math.floor(AHEAD_BYTES / (runs.length || 1))));
  const line = z.tuple([z.string(), value]);
  const heads: Head<T>[] = [];
  const positions = runs.map(({ bytes }, run) => Math.min(from[run] ?? 0, bytes));
  const readers = runs.map((run, index) => lineReader(blobs, run, ahead, positions[index] ?? 0));

  /** Puts the next entry of a run into its place among the heads, a binary heap. */
  const advance = async (run: number): Promise<void> => {
    const read = await readers[run]?.();
    positions[run] = read?.begins ?? runs[run]?.bytes ?? 0;
    if (read === undefined) return;
    const [key, value] = parseJson(runs[run]?.name ?? "", read.line, line) as [string, T];
    pushHead(heads, { key, value, run });
  };

  for (const run of runs.keys()) await advance(run);
  return {
    at: () => [...positions],
    next: async () => {
      const first = heads[0];
      if (first === undefined) return undefined;
      const values: T[] = [];
      while (heads[0]?.key === first.key) {
        const head = popHead(heads);
        values.push(head.value);
        await advance(head.run);
      }
      return { key: first.key, values };
    },
  };
};

/** All entries of some runs, in the order of their keys. */
export async function* eachInOrder<T>(
  blobs: Blobs,
  runs: readonly SortedRun[],
  value: z.ZodType<T>,
): AsyncGenerator<T> {
  const merge = await mergeRuns(blobs, runs, value);
  for (let group = await merge.next(); group !== undefined; group = await merge.next()) yield* group.values;
}

const compare = (a: string, b: string): number => (a < b ? -1 : Number(a > b));

/** The next entry of a run. */
interface Head<T> extends Entry<T> {
  readonly run: number;
}

/** Entries of one key come in the order of their runs, so that a merge is the same however often it runs. */
const comesFirst = <T>(a: Head<T>, b: Head<T>): boolean => a.key < b.key || (a.key === b.key && a.run < b.run);

const pushHead = <T>(heap: Head<T>[], head: Head<T>): void => {
  let at = heap.push(head) - 1;
  while (at > 0) {
    const above = (at - 1) >> 1;
    const parent = heap[above];
    if (parent === undefined || !comesFirst(head, parent)) break;
    heap[at] = parent;
    at = above;
  }
  heap[at] = head;
};

const popHead = <T>(heap: Head<T>[]): Head<T> => {
  const [first] = heap;
  const last = heap.pop();
  if (first === undefined || last === undefined) throw new Error("A merge has no entries left");
  if (heap.length === 0) return first;
  let at = 0;
  for (;;) {
    const [left, right] = [heap[2 * at + 1], heap[2 * at + 2]];
    const least = right !== undefined && left !== undefined && comesFirst(right, left) ? right : left;
    if (least === undefined || !comesFirst(least, last)) break;
    heap[at] = least;
    at = least === left ? 2 * at + 1 : 2 * at + 2;
  }
  heap[at] = last;
  return first;
};

/** A line of a run, and where it begins. */
interface Line {
  readonly line: Buffer;
  readonly begins: number;
}

/** Reads a run line by line from an offset. While some bytes of it are used, the next ones are on their way. */
const lineReader = (blobs: Blobs, run: SortedRun, ahead: number, from: number): (() => Promise<Line | undefined>) => {
  let buffer = Buffer.alloc(0);
  let offset = from;
  let at = 0;
  let next: Promise<Buffer> | undefined;

  const read = async (offset: number): Promise<Buffer> => {
    const length = Math.min(ahead, run.bytes - offset);
    const found = await blobs.read(run.name, { offset, length });
    const more = await collect(required(found, `${run.name} is not there`));
    if (more.length === 0) throw new Error(`${run.name} is shorter than it was written`);
    return more;
  };
  const readAhead = async (): Promise<void> => {
    const more = await (next ?? read(offset + buffer.length));
    buffer = Buffer.concat([buffer.subarray(at), more]);
    offset += at;
    at = 0;
    const end = offset + buffer.length;
    next = end < run.bytes ? read(end) : undefined;
    // Whoever needs it meets its failure; a merge that ends before does not.
    next?.catch(() => undefined);
  };

  return async () => {
    for (;;) {
      const end = buffer.indexOf(NEW_LINE, at);
      if (end !== -1) {
        const found = { line: buffer.subarray(at, end), begins: offset + at };
        at = end + 1;
        return found;
      }
      if (offset + buffer.length >= run.bytes) {
        if (at < buffer.length) throw new Error(`${run.name} ends within a line`);
        return undefined;
      }
      await readAhead();
    }
  };
};
