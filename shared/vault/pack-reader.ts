import { createHash } from "node:crypto";
import { pipeline, Readable } from "node:stream";
import { promisify } from "node:util";
import { crc32, createInflateRaw, inflateRaw, inflateRawSync } from "node:zlib";
import { type Blobs, collect } from "../storage/blobs.ts";
import { parseVaultJson, VaultDamageError } from "./damage.ts";
import type { PackName } from "./names.ts";
import { type CatalogueRecord, INDEX_ENTRY, PackIndex, type StoredItem } from "./records.ts";
import { type EntryData, type ReadAt, readDirectory } from "./zip-directory.ts";

const inflateInThread = promisify(inflateRaw);

const inflateWhole = async (stored: Buffer): Promise<Buffer> =>
  stored.length <= SYNC_BYTES ? inflateRawSync(stored) : inflateInThread(stored);

/** Enough for the directory and the index of almost every pack, so that one read gets both. */
const TAIL_BYTES = 64 * 1024;

/**
 * The raw stream of an item, by one ranged read, inflated as it arrives.
 *
 * @throws {VaultDamageError} when the pack is missing, or the stream's length or SHA-256 is not that of the record.
 * Bytes that were yielded before must then be discarded.
 */
export async function* readItem(
  blobs: Blobs,
  record: StoredItem & { id: string },
): AsyncGenerator<Uint8Array, void, undefined> {
  const stored = await blobs.read(record.pack, { offset: record.offset, length: record.storedBytes });
  if (stored === undefined) throw new VaultDamageError("the pack is missing", { blob: record.pack, itemId: record.id });
  yield* rawStream(record, stored);
}

/** The raw stream of an item from its stored bytes. @throws {VaultDamageError} as {@link readItem} does. */
export async function* rawStream(
  record: StoredItem & { id: string },
  stored: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  const damage = (problem: string, cause?: unknown): VaultDamageError =>
    new VaultDamageError(problem, { blob: record.pack, itemId: record.id, cause });
  const hash = createHash("sha256");
  let rawBytes = 0;
  try {
    for await (const chunk of record.method === "deflate" ? inflated(record, stored) : stored) {
      hash.update(chunk);
      rawBytes += chunk.length;
      if (rawBytes > record.rawBytes) throw damage(`the stream is longer than ${record.rawBytes} bytes`);
      yield chunk;
    }
  } catch (cause) {
    throw isZlibError(cause) ? damage("the stream does not inflate", cause) : cause;
  }

  if (rawBytes < record.rawBytes) throw damage(`the stream has ${rawBytes} bytes, not ${record.rawBytes}`);
  const sha256 = hash.digest("hex");
  if (sha256 !== record.sha256) throw damage(`the stream has the SHA-256 ${sha256}, not ${record.sha256}`);
}

/** The records of a pack's index, read from the end of the file; `undefined` when the pack does not exist. */
export const readPackIndex = async (blobs: Blobs, pack: PackName): Promise<CatalogueRecord[] | undefined> => {
  const info = await blobs.info(pack);
  return info && (await readPackEnd(pack, info.bytes, tailReader(blobs, pack, info.bytes))).records;
};

/** The entries of a pack's directory and the records of its index, read from the pack's end. */
export const readPackEnd = async (
  pack: PackName,
  packBytes: number,
  read: ReadAt,
): Promise<{ entries: EntryData[]; records: CatalogueRecord[] }> => {
  const { entries, bytes } = await endOf(pack, packBytes, read);
  const index = parseVaultJson(pack, bytes, PackIndex);
  if (index.pack !== pack) throw new VaultDamageError(`holds the index of ${index.pack}`, { blob: pack });
  return { entries, records: index.records };
};

const endOf = async (
  pack: PackName,
  packBytes: number,
  read: ReadAt,
): Promise<{ entries: EntryData[]; bytes: Buffer }> => {
  try {
    const entries = await readDirectory(packBytes, read);
    const last = entries.at(-1);
    if (last?.name !== INDEX_ENTRY) throw new RangeError(`the last entry is ${last?.name}`);
    return { entries, bytes: await entryBytes(last, await read(last.offset, last.storedBytes)) };
  } catch (cause) {
    if (!(cause instanceof RangeError) && !isZlibError(cause)) throw cause;
    throw new VaultDamageError("the pack's index cannot be read", { blob: pack, cause });
  }
};

const entryBytes = async (entry: EntryData, stored: Buffer): Promise<Buffer> => {
  const raw = entry.method === "deflate" ? await inflateWhole(stored) : stored;
  if (crc32(raw) !== entry.crc32) throw new RangeError("the index has another CRC-32");
  return raw;
};

/** Reads from the file's last bytes, which are fetched once, and from the blob for bytes before them. */
const tailReader = (blobs: Blobs, pack: PackName, packBytes: number): ReadAt => {
  const readBlob: ReadAt = async (offset, length) => {
    const chunks = await blobs.read(pack, { offset, length });
    if (chunks === undefined) throw new VaultDamageError("the pack is missing", { blob: pack });
    return collect(chunks);
  };
  const tailOffset = Math.max(0, packBytes - TAIL_BYTES);
  let tail: Promise<Buffer> | undefined;

  return async (offset, length) => {
    if (offset < 0 || offset + length > packBytes) throw new RangeError("the ZIP file is cut off");
    if (offset < tailOffset) return readBlob(offset, length);
    tail ??= readBlob(tailOffset, packBytes - tailOffset);
    return (await tail).subarray(offset - tailOffset, offset - tailOffset + length);
  };
};

/** Up to this size, a stream takes longer to set up than to read. */
const SYNC_BYTES = 64 * 1024;

/** Uses `pipeline`, not `pipe`: an error on either side, or a reader that leaves, ends both. */
const inflated = (
  { storedBytes, rawBytes }: StoredItem,
  stored: AsyncIterable<Uint8Array>,
): AsyncIterable<Uint8Array> => {
  if (storedBytes <= SYNC_BYTES && rawBytes <= SYNC_BYTES) return inflatedAtOnce(stored);
  return pipeline(Readable.from(stored), createInflateRaw(), () => undefined);
};

/** The limit is for damaged streams; it is larger than any stream that is inflated here. */
async function* inflatedAtOnce(stored: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield inflateRawSync(await collect(stored), { maxOutputLength: 2 * SYNC_BYTES });
}

const isZlibError = (error: unknown): boolean =>
  error instanceof Error &&
  "code" in error &&
  typeof error.code === "string" &&
  (error.code.startsWith("Z_") || error.code === "ERR_BUFFER_TOO_LARGE");
