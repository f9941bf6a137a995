import * as z from "zod";
import type { Blobs } from "../storage/blobs.ts";
import { readPart } from "./part-reader.ts";
import type { CatalogueRecord, PutRecord } from "./records.ts";
import { type IndexedPart, isProblem, type ProblemRecord, type SnapshotIndex } from "./snapshot-index.ts";

const Count = z.int().nonnegative();

/** A record's position in the order of an index: the number of parts, and of records of its own part, before it. */
export const Position = z.object({ part: Count, record: Count });
export type Position = z.output<typeof Position>;

export interface PositionedRecord<R extends CatalogueRecord> {
  readonly at: Position;
  readonly record: R;
}

/** Identifies the index that a position belongs to: another index of the snapshot is folded from another base. */
export const firstPart = ({ parts }: SnapshotIndex): string => parts.at(-1)?.part.name ?? "";

/** The live items of a snapshot, newest record first, from a position on. Holds one part in memory. */
export async function* liveItems(
  vault: Blobs,
  index: SnapshotIndex,
  from: Position,
): AsyncGenerator<PositionedRecord<PutRecord>> {
  for (const { part, entry } of partsFrom(index, from, ({ items }) => items > 0)) {
    const live = Buffer.from(entry.live, "base64");
    for await (const { at, record } of recordsOf(vault, entry, part, from)) {
      const isLive = (live.readUInt8(at.record >>> 3) >>> (at.record & 7)) & 1;
      if (isLive && record.op === "put") yield { at, record };
    }
  }
}

/** The records of a snapshot's problems, newest first, from a position on. Holds one part in memory. */
export async function* problemRecords(
  vault: Blobs,
  index: SnapshotIndex,
  from: Position,
): AsyncGenerator<PositionedRecord<ProblemRecord>> {
  for (const { part, entry } of partsFrom(index, from, ({ problems }) => problems > 0))
    for await (const { at, record } of recordsOf(vault, entry, part, from)) if (isProblem(record)) yield { at, record };
}

function* partsFrom(
  { parts }: SnapshotIndex,
  from: Position,
  holdsAny: (entry: IndexedPart) => boolean,
): Generator<{ part: number; entry: IndexedPart }> {
  for (const [part, entry] of parts.entries()) if (part >= from.part && holdsAny(entry)) yield { part, entry };
}

async function* recordsOf(
  vault: Blobs,
  entry: IndexedPart,
  part: number,
  from: Position,
): AsyncGenerator<PositionedRecord<CatalogueRecord>> {
  const first = part === from.part ? from.record : 0;
  let number = first;
  for await (const record of readPart(vault, entry.part, "last-to-first", first)) {
    yield { at: { part, record: number }, record };
    number += 1;
  }
}
