import { createHash } from "node:crypto";
import { pipeline } from "node:stream/promises";
import { promisify } from "node:util";
import { crc32, createDeflateRaw, deflateRaw, deflateRawSync } from "node:zlib";
import type { Blobs, Created } from "../storage/blobs.ts";
import { type BlockUpload, openUpload } from "../storage/block-upload.ts";
import { PackName } from "./names.ts";
import { type CatalogueRecord, INDEX_ENTRY, PackIndex, type StoredItem } from "./records.ts";
import { dataDescriptor, directory, localHeader, SUM_BYTES, type ZipEntry, type ZipMethod } from "./zip-format.ts";

export interface PackWriter {
  /**
   * Stores an item, and returns where. Items are added one at a time. The source may reuse a chunk's memory. When the
   * source throws, the error is thrown, and the pack stays usable: bytes already written of the item are not listed in
   * it. After a failed upload the pack is lost, and every further call throws too. An item whose bytes are stored
   * already takes no room in the pack.
   */
  addItem(source: AsyncIterable<Uint8Array>): Promise<StoredItem>;
  /**
   * Adds `index.json` with the catalogue records of the whole batch, adds the checksum of all bytes, and creates the
   * pack. `exists`: another try created it, and the catalogue must have the records of its index, not these.
   */
  close(records: readonly CatalogueRecord[]): Promise<Created>;
}

/** Finds where bytes are stored already. */
export type FindStored = (bytes: Pick<StoredItem, "rawBytes" | "sha256">) => Promise<StoredItem | undefined>;

export interface PackOptions {
  findStored?: FindStored | undefined;
  /** Most bytes held before a block is uploaded. */
  blockBytes?: number;
  /** Items up to this size are deflated whole; of a longer one, the first bytes, this many, decide how it is stored. */
  bufferBytes?: number;
}

const BUFFER_BYTES = 1024 * 1024;

/** Measured on mail-like text: level 3 deflates 2.7 times faster than level 6 and 10 % larger. */
const LEVEL = { level: 3 };

/** Up to this size, deflating takes about a millisecond, and handing it to a thread costs more than it saves. */
const SYNC_BYTES = 64 * 1024;

const deflateInThread = promisify(deflateRaw);

/**
 * Opens the ZIP file of one batch for writing. Nothing is visible until `close`; a writer that is not closed leaves
 * nothing. It holds a block and a buffer in memory, for items and packs of any size.
 */
export const openPack = (
  blobs: Blobs,
  name: PackName,
  { bufferBytes = BUFFER_BYTES, findStored, ...uploadOptions }: PackOptions = {},
): PackWriter => {
  const pack = PackName.parse(name);
  const upload = withChecksum(openUpload(blobs, pack, { ...uploadOptions, contentType: "application/zip" }));
  const entries: ZipEntry[] = [];
  let busy = false;

  const add = async (entryName: string, source: AsyncIterable<Uint8Array>, find?: FindStored): Promise<StoredItem> => {
    const meter = measured(source);
    const { head, rest } = await takeHead(meter.chunks, bufferBytes);
    // What is longer than the buffer is written before its hash is known, and is taken back if it is stored already.
    const takeBack = rest && find && (await upload.mark());
    const headerOffset = upload.bytes;
    const streamed = rest && (await streamEntry(upload, entryName, head, rest, meter));
    const { crc32, rawBytes, sha256 } = meter.result();
    const stored = await find?.({ rawBytes, sha256 });
    if (stored !== undefined) {
      takeBack?.();
      return { ...stored, recordedIn: pack };
    }
    const { method, offset, storedBytes } = streamed ?? (await wholeEntry(upload, entryName, head, meter));
    entries.push({ name: entryName, method, headerOffset, streamed: rest !== undefined, crc32, storedBytes, rawBytes });
    return { pack, offset, storedBytes, method, rawBytes, sha256 };
  };

  return {
    addItem: async (source) => {
      if (busy) throw new Error(`${pack}: items are added one at a time`);
      busy = true;
      try {
        return await add(`${entries.length}.fts`, source, findStored);
      } finally {
        busy = false;
      }
    },

    close: async (records) => {
      const index = PackIndex.parse({ v: 1, pack, records });
      await add(INDEX_ENTRY, oneChunk(Buffer.from(JSON.stringify(index))));
      await upload.append(directory(entries, upload.bytes, SUM_BYTES));
      return upload.commit();
    },
  };
};

/**
 * An upload that appends the checksum of all its bytes at the end. It covers what no other hash in a pack does:
 * headers, unused bits of deflate streams, and the beginnings of items that broke off.
 */
const withChecksum = (upload: BlockUpload): BlockUpload => {
  let hash = createHash("sha256");
  return {
    get bytes() {
      return upload.bytes;
    },
    append: (piece) => {
      hash.update(piece);
      return upload.append(piece);
    },
    mark: async () => {
      const before = hash.copy();
      const takeBack = await upload.mark();
      return () => {
        takeBack();
        hash = before;
      };
    },
    commit: async () => {
      await upload.append(Buffer.from(hash.digest("hex"), "ascii"));
      return upload.commit();
    },
  };
};

interface Written {
  offset: number;
  storedBytes: number;
  method: ZipMethod;
}

/** Writes an item that fits into the buffer, in the smaller of its two forms. */
const wholeEntry = async (upload: BlockUpload, name: string, raw: Buffer, meter: Meter): Promise<Written> => {
  const deflated = await deflate(raw);
  const [method, data]: [ZipMethod, Buffer] = deflated.length < raw.length ? ["deflate", deflated] : ["store", raw];
  const { crc32, rawBytes } = meter.result();
  await upload.append(localHeader(name, method, { crc32, rawBytes, storedBytes: data.length }));
  const offset = upload.bytes;
  await upload.append(data);
  return { offset, storedBytes: data.length, method };
};

/** Writes a longer item as it arrives, deflated if that makes its first bytes, a buffer of them, smaller. */
const streamEntry = async (
  upload: BlockUpload,
  name: string,
  head: Buffer,
  rest: AsyncIterable<Uint8Array>,
  meter: Meter,
): Promise<Written> => {
  const method = (await deflate(head)).length < head.length ? "deflate" : "store";
  await upload.append(localHeader(name, method, undefined));
  const offset = upload.bytes;
  const write = async (chunks: AsyncIterable<Uint8Array>): Promise<void> => {
    for await (const chunk of chunks) await upload.append(chunk);
  };

  if (method === "deflate") await pipeline(joined(head, rest), createDeflateRaw(LEVEL), write);
  else await write(joined(head, rest));

  const storedBytes = upload.bytes - offset;
  await upload.append(dataDescriptor({ ...meter.result(), storedBytes }));
  return { offset, storedBytes, method };
};

const deflate = async (raw: Buffer): Promise<Buffer> =>
  raw.length <= SYNC_BYTES ? deflateRawSync(raw, { ...LEVEL, ...sizedFor(raw.length) }) : deflateInThread(raw, LEVEL);

/**
 * A window as long as the data, which loses nothing, and tables to match. By default, zlib sets up 256 KiB for every
 * call: for small items, that takes longer than deflating. Source: zlib.h, deflateInit2.
 */
const sizedFor = (bytes: number): { windowBits: number; memLevel: number } => {
  const windowBits = Math.min(15, Math.max(9, Math.ceil(Math.log2(Math.max(1, bytes)))));
  return { windowBits, memLevel: Math.min(8, windowBits - 5) };
};

interface Meter {
  chunks: AsyncIterator<Uint8Array>;
  /** Of all bytes of the source; to be called once the source has ended. */
  result(): { crc32: number; rawBytes: number; sha256: string };
}

/** Copies each chunk, since deflating reads chunks before it has used the last one. */
const measured = (source: AsyncIterable<Uint8Array>): Meter => {
  const hash = createHash("sha256");
  let crc = 0;
  let rawBytes = 0;
  let sha256: string | undefined;
  const pass = async function* (): AsyncGenerator<Uint8Array> {
    for await (const chunk of source) {
      hash.update(chunk);
      crc = crc32(chunk, crc);
      rawBytes += chunk.length;
      yield Buffer.from(chunk);
    }
  };
  return {
    chunks: pass(),
    result: () => {
      sha256 ??= hash.digest("hex");
      return { crc32: crc, rawBytes, sha256 };
    },
  };
};

/** Returns the first bytes, more than `bytes` of them if there are more, and the rest: `undefined` at the end. */
const takeHead = async (
  chunks: AsyncIterator<Uint8Array>,
  bytes: number,
): Promise<{ head: Buffer; rest?: AsyncIterable<Uint8Array> }> => {
  const taken: Uint8Array[] = [];
  for (let size = 0; size <= bytes; ) {
    const next = await chunks.next();
    if (next.done) return { head: Buffer.concat(taken) };
    taken.push(next.value);
    size += next.value.length;
  }
  return { head: Buffer.concat(taken), rest: { [Symbol.asyncIterator]: () => chunks } };
};

async function* joined(head: Buffer, rest: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield head;
  yield* rest;
}

async function* oneChunk(bytes: Buffer): AsyncGenerator<Uint8Array> {
  yield bytes;
}
