import { createCipheriv } from "node:crypto";
import { WORDS } from "./generated-words.ts";

const POOL_BYTES = 1 << 20;
const PIECE_BYTES = 48 * 1024;

/** Spreads 32 bits: a change of one bit of the input changes half of the output. */
export const mix = (value: number): number => {
  let h = value >>> 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
};

/** A 32-bit hash of a text. */
export const hashText = (text: string): number => {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  return mix(h);
};

let pools: { text: Buffer; noise: Buffer } | undefined;

const poolsOnce = () => {
  pools ??= { text: textPool(), noise: noisePool() };
  return pools;
};

const textPool = (): Buffer => {
  const pool = Buffer.alloc(POOL_BYTES + 32);
  let at = 0;
  for (let i = 0; at < POOL_BYTES; i++) {
    const random = mix(i + 1);
    const word = WORDS[random % WORDS.length] ?? "";
    const gap = random >>> 28 === 0 ? ".\r\n" : random >>> 27 === 9 ? ", " : " ";
    at += pool.write(word + gap, at, "latin1");
  }
  return pool.subarray(0, POOL_BYTES);
};

const noisePool = () =>
  createCipheriv("aes-128-ctr", Buffer.alloc(16, 7), Buffer.alloc(16, 9)).update(Buffer.alloc(POOL_BYTES));

/**
 * Yields exactly `bytes` bytes that depend on `head` and `seed` alone: the head, then prose that compresses about three
 * to one, then (the share `noiseShare`) bytes that do not compress, as attachments.
 *
 * Pieces are views of two shared pools: nothing may write to them.
 */
export function* generatedPayload(
  head: string,
  seed: number,
  bytes: number,
  noiseShare: number,
): Generator<Uint8Array> {
  const first = Buffer.from(head).subarray(0, bytes);
  yield first;

  const rest = bytes - first.length;
  const noiseBytes = Math.floor(rest * noiseShare);
  const { text, noise } = poolsOnce();
  yield* slices(text, mix(seed), rest - noiseBytes);
  yield* slices(noise, mix(seed + 1), noiseBytes);
}

function* slices(pool: Buffer, seed: number, bytes: number): Generator<Uint8Array> {
  for (let left = bytes, random = seed; left > 0; left -= PIECE_BYTES) {
    random = mix(random + 0x9e3779b9);
    const start = random % (POOL_BYTES - PIECE_BYTES);
    yield pool.subarray(start, start + Math.min(left, PIECE_BYTES));
  }
}
