import { createHash } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import { type Blobs, collect } from "../storage/blobs.ts";
import { VaultDamageError } from "./damage.ts";
import { type ReportFinding, reportDamage } from "./finding.ts";
import type { PackName } from "./names.ts";
import { rawStream, readItem, readPackEnd } from "./pack-reader.ts";
import { INDEX_ENTRY, type PutRecord } from "./records.ts";
import type { EntryData, ReadAt } from "./zip-directory.ts";
import { SUM_BYTES } from "./zip-format.ts";

/** Enough for the directory and the index of almost every pack, so that neither needs another read. */
const TAIL_BYTES = 64 * 1024;

/**
 * Checks a whole pack in one read: its checksum, which covers every byte; the length and SHA-256 of each item that the
 * catalogue has in it; and that its directory describes these items as the catalogue does, and its index those whose
 * records it has, which may lie in another pack. Returns the pack's length. Returns `undefined`, and reports nothing,
 * when the pack does not exist. Memory does not depend on its size.
 */
export const verifyPack = async (
  blobs: Blobs,
  pack: PackName,
  records: readonly PutRecord[],
  report: ReportFinding,
): Promise<number | undefined> => {
  let findings = 0;
  const countAndReport: ReportFinding = (finding) => {
    findings += 1;
    report(finding);
  };

  const items = records.filter((record) => record.pack === pack);
  let scan = await scanPack(blobs, pack, items).catch(onlyDamage);
  if (scan === undefined) return undefined;
  if (scan === "damaged") {
    for (const record of items) await reportDamage(countAndReport, () => drain(readItem(blobs, record)));
    scan = await scanPack(blobs, pack, []);
    if (scan === undefined) return undefined;
  }

  const { bytes, tail, sum } = scan;
  const end = await reportDamage(countAndReport, () => readPackEnd(pack, bytes, endReader(blobs, pack, bytes, tail)));
  if (end !== undefined) compare(pack, records, end, countAndReport);
  const written = tail.toString("latin1", Math.max(0, tail.length - SUM_BYTES));
  if (sum !== written && findings === 0)
    report({ blob: pack, problem: `is not what was written: its SHA-256 is ${sum}, and it ends in ${written}` });
  return bytes;
};

const onlyDamage = (error: unknown): "damaged" => {
  if (error instanceof VaultDamageError) return "damaged";
  throw error;
};

/** The result of reading a pack from its first byte to its last. */
interface PackScan {
  readonly bytes: number;
  readonly tail: Buffer;
  /** The SHA-256 of all bytes before the checksum at its end. */
  readonly sum: string;
}

/** Reads a pack once, and checks its items. @throws {VaultDamageError} at the first item that is damaged. */
const scanPack = async (blobs: Blobs, pack: PackName, records: readonly PutRecord[]): Promise<PackScan | undefined> => {
  const stored = await blobs.read(pack);
  if (stored === undefined) return undefined;

  const file = openScan(stored);
  try {
    for (const record of streamsOf(records)) {
      if (record.offset < file.at)
        throw new VaultDamageError("overlaps the item before it", { blob: pack, itemId: record.id });
      await drain(file.take(record.offset - file.at));
      await drain(rawStream(record, file.take(record.storedBytes)));
    }
    await drain(file.take(Number.POSITIVE_INFINITY));
  } finally {
    await file.close();
  }
  return file.result();
};

/** The items in the order of their streams; of those that share one, any. */
const streamsOf = (records: readonly PutRecord[]): PutRecord[] => {
  const streams = new Map(records.map((record) => [JSON.stringify(streamOf(record)), record]));
  return [...streams.values()].toSorted((a, b) => a.offset - b.offset);
};

const streamOf = ({ offset, storedBytes, method, rawBytes, sha256 }: PutRecord) => [
  offset,
  storedBytes,
  method,
  rawBytes,
  sha256,
];

const openScan = (stored: AsyncIterable<Uint8Array>) => {
  const chunks = stored[Symbol.asyncIterator]();
  const hash = createHash("sha256");
  let at = 0;
  let rest: Uint8Array = new Uint8Array();
  let tail: Buffer = Buffer.alloc(0);

  const nextChunk = async (): Promise<boolean> => {
    const next = await chunks.next();
    if (next.done) return false;
    rest = next.value;
    return true;
  };
  /** A byte is hashed once enough bytes follow it that it cannot belong to the checksum at the end. */
  const consume = (piece: Uint8Array): void => {
    const held = Math.min(tail.length, SUM_BYTES);
    const open = Buffer.concat([tail.subarray(tail.length - held), piece]);
    hash.update(open.subarray(0, Math.max(0, open.length - SUM_BYTES)));
    tail = Buffer.concat([tail, piece]);
    tail = tail.subarray(Math.max(0, tail.length - TAIL_BYTES));
    at += piece.length;
  };

  return {
    get at() {
      return at;
    },
    /** The next bytes; fewer only at the end. */
    take: async function* (length: number): AsyncGenerator<Uint8Array> {
      const end = at + length;
      while (at < end && (rest.length > 0 || (await nextChunk()))) {
        const piece = rest.subarray(0, Math.min(rest.length, end - at));
        rest = rest.subarray(piece.length);
        consume(piece);
        yield piece;
      }
    },
    close: async () => {
      await chunks.return?.();
    },
    result: (): PackScan => ({ bytes: at, tail, sum: hash.digest("hex") }),
  };
};

/** Reads from the tail of a pack, which is in memory, and from the blob for bytes before the tail. */
const endReader =
  (blobs: Blobs, pack: PackName, packBytes: number, tail: Buffer): ReadAt =>
  async (offset, length) => {
    if (offset < 0 || offset + length > packBytes) throw new RangeError("the ZIP file is cut off");
    const inTail = offset - (packBytes - tail.length);
    if (inTail >= 0) return tail.subarray(inTail, inTail + length);
    const chunks = await blobs.read(pack, { offset, length });
    if (chunks === undefined) throw new VaultDamageError("the pack is missing", { blob: pack });
    return collect(chunks);
  };

const compare = (
  pack: PackName,
  records: readonly PutRecord[],
  { entries, records: indexed }: Awaited<ReturnType<typeof readPackEnd>>,
  report: ReportFinding,
): void => {
  const entryAt = new Map(entries.map((entry) => [entry.offset, entry]));
  for (const record of records) {
    const differs = (what: string): void =>
      report({ blob: pack, item: record.id, problem: `${what} describes it differently from the catalogue` });
    if (record.pack === pack && !isEntryOf(record, entryAt.get(record.offset))) differs("the ZIP directory");
    const isIndexed = (record.recordedIn ?? record.pack) === pack;
    if (isIndexed && !indexed.some((other) => isDeepStrictEqual(other, record))) differs(INDEX_ENTRY);
  }
};

const isEntryOf = (record: PutRecord, entry: EntryData | undefined): boolean =>
  entry !== undefined &&
  entry.method === record.method &&
  entry.storedBytes === record.storedBytes &&
  entry.rawBytes === record.rawBytes;

const drain = async (chunks: AsyncIterable<Uint8Array>): Promise<void> => {
  for await (const _ of chunks);
};
