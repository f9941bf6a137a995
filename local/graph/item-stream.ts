import { createHash } from "node:crypto";
import { generatedPayload } from "./generated-content.ts";
import type { SeedMailbox } from "./seed.ts";
import type { ContentStore } from "./state/content-store.ts";
import { type Content, ItemProperties, type ItemRecord } from "./state/records.ts";

/**
 * The first bytes of a real export stream. What follows them here is our own: a 32-bit length and that many bytes of
 * JSON properties, the payload, and the SHA-256 of everything before.
 *
 * @doc The header is the same in the Graph and the EWS samples. @guess The rest: real streams are opaque.
 */
export const STREAM_HEADER = Buffer.from("010000000800000000000000010000000300000018000000", "hex");

const CHECKSUM_BYTES = 32;
const LENGTH_BYTES = 4;

/** Yields an item's export stream piece by piece; an imported item yields the very bytes that were imported. */
export async function* itemStream(
  record: ItemRecord,
  seed: SeedMailbox,
  store: ContentStore,
): AsyncGenerator<Uint8Array> {
  const { content } = record;
  if (content.kind === "file" && content.verbatim) {
    yield* store.read(content.name);
    return;
  }

  const hash = createHash("sha256");
  const head = streamHead(record.properties);
  hash.update(head);
  yield head;
  for await (const piece of payloadOf(record, seed, store)) {
    hash.update(piece);
    yield piece;
  }
  yield hash.digest();
}

const streamHead = (properties: ItemProperties): Buffer => {
  const block = Buffer.from(JSON.stringify(properties));
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUInt32LE(block.length);
  return Buffer.concat([STREAM_HEADER, length, block]);
};

const payloadOf = (
  record: ItemRecord,
  seed: SeedMailbox,
  store: ContentStore,
): Iterable<Uint8Array> | AsyncIterable<Uint8Array> => {
  const { content } = record;
  switch (content.kind) {
    case "seed":
      return seed.item(content.folderKey, content.index).payload();
    case "generated":
      return generatedPayload(`${record.properties.searchKey}\r\n`, content.seed, content.bytes, 0.3);
    case "file":
      return content.payloadBytes === 0 ? [] : store.read(content.name, content.payloadStart, content.payloadBytes);
  }
};

export const payloadBytesOf = (content: Content, seed: SeedMailbox): number => {
  switch (content.kind) {
    case "seed":
      return seed.item(content.folderKey, content.index).payloadBytes;
    case "generated":
      return content.bytes;
    case "file":
      return content.payloadBytes;
  }
};

/** Follows a stream as it is received, and tells in the end whether one byte of it was altered. */
export interface StreamCheck {
  readonly update: (bytes: Uint8Array) => void;
  readonly length: () => number;
  readonly isIntact: () => boolean;
}

export const streamCheck = (): StreamCheck => {
  const hash = createHash("sha256");
  let tail: Uint8Array = Buffer.alloc(0);
  let length = 0;
  return {
    update: (bytes) => {
      length += bytes.length;
      const joined = bytes.length >= CHECKSUM_BYTES ? bytes : Buffer.concat([tail, bytes]);
      if (joined === bytes) hash.update(tail);
      const split = Math.max(0, joined.length - CHECKSUM_BYTES);
      hash.update(joined.subarray(0, split));
      tail = Buffer.from(joined.subarray(split));
    },
    length: () => length,
    isIntact: () => hash.digest().equals(tail),
  };
};

/** Reads the properties at the start of a received stream; undefined when they are not there. */
export const readStreamHead = async (
  readAt: (start: number, bytes: number) => Promise<Buffer>,
  streamBytes: number,
): Promise<{ properties: ItemProperties; payloadStart: number; payloadBytes: number } | undefined> => {
  const fixed = await readAt(0, STREAM_HEADER.length + LENGTH_BYTES);
  if (fixed.length < STREAM_HEADER.length + LENGTH_BYTES) return undefined;
  if (!fixed.subarray(0, STREAM_HEADER.length).equals(STREAM_HEADER)) return undefined;

  const blockBytes = fixed.readUInt32LE(STREAM_HEADER.length);
  const payloadStart = fixed.length + blockBytes;
  const payloadBytes = streamBytes - CHECKSUM_BYTES - payloadStart;
  if (payloadBytes < 0) return undefined;
  const block = await readAt(fixed.length, blockBytes);
  return { properties: ItemProperties.parse(JSON.parse(block.toString())), payloadStart, payloadBytes };
};
