import { StringDecoder } from "node:string_decoder";

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const LOWER_U = 0x75;
const OPEN = new Set([0x7b, 0x5b]);
const CLOSE = new Set([0x7d, 0x5d]);
const SPACE = new Set([0x20, 0x09, 0x0a, 0x0d]);
const ESCAPES = new Map(
  Object.entries({ '"': '"', "\\": "\\", "/": "/", b: "\b", f: "\f", n: "\n", r: "\r", t: "\t" }),
);

/** A JSON text that broke off, or is not what it should be. */
export class BrokenJsonError extends Error {
  override readonly name = "BrokenJsonError";
}

/** Longest string or number that is held in memory; what is longer must be streamed or skipped. */
const MAX_VALUE_BYTES = 64 * 1024;

/**
 * Reads JSON from a stream without holding it: a reader goes from token to token, and strings of any length come in
 * pieces. It checks structure only as far as it must to find its way. A stream that ends early is a
 * {@link BrokenJsonError}.
 */
export interface JsonReader {
  /** The next byte that is not white space, without consuming it. */
  peek(): Promise<number>;
  /** Consumes the next byte that is not white space, which must be this one. */
  expect(character: string): Promise<void>;
  /** Consumes that byte if it is next. */
  accept(character: string): Promise<boolean>;
  /** A string of at most 64 KiB. */
  string(): Promise<string>;
  /** The content of a string in pieces, as UTF-8 bytes; must be read to its end. */
  stringPieces(): AsyncGenerator<Buffer>;
  /** The text of any value of at most 64 KiB. */
  value(): Promise<string>;
  /** Passes over any value of any size. */
  skip(): Promise<void>;
  /** Expects nothing but white space up to the end of the stream. */
  end(): Promise<void>;
}

export const jsonReader = (source: AsyncIterable<Uint8Array>): JsonReader => {
  const chunks = source[Symbol.asyncIterator]();
  let chunk: Buffer = Buffer.alloc(0);
  let at = 0;

  const fill = async (): Promise<void> => {
    while (at >= chunk.length) {
      const next = await chunks.next();
      if (next.done) throw new BrokenJsonError("the JSON text ended early");
      chunk = Buffer.from(next.value.buffer, next.value.byteOffset, next.value.byteLength);
      at = 0;
    }
  };

  const byte = async (): Promise<number> => {
    if (at >= chunk.length) await fill();
    const value = chunk[at] ?? 0;
    at += 1;
    return value;
  };

  const peek = async (): Promise<number> => {
    for (;;) {
      if (at >= chunk.length) await fill();
      const value = chunk[at] ?? 0;
      if (!SPACE.has(value)) return value;
      at += 1;
    }
  };

  const accept = async (character: string): Promise<boolean> => {
    if ((await peek()) !== character.charCodeAt(0)) return false;
    at += 1;
    return true;
  };

  const expect = async (character: string): Promise<void> => {
    if (!(await accept(character)))
      throw new BrokenJsonError(`the JSON text has another character where ${character} should be`);
  };

  const escapedCharacter = async (): Promise<string> => {
    const kind = await byte();
    if (kind !== LOWER_U) {
      const character = ESCAPES.get(String.fromCharCode(kind));
      if (character === undefined) throw new BrokenJsonError("the JSON text has an escape that there is not");
      return character;
    }
    const digits = String.fromCharCode(await byte(), await byte(), await byte(), await byte());
    if (!/^[\da-f]{4}$/i.test(digits)) throw new BrokenJsonError("the JSON text has an escape that there is not");
    return String.fromCharCode(Number.parseInt(digits, 16));
  };

  /** Surrogate halves are escaped one by one, so an escape may need its neighbour before it can be encoded. */
  async function* stringPieces(): AsyncGenerator<Buffer> {
    await expect('"');
    let half = "";
    for (;;) {
      if (at >= chunk.length) await fill();
      const end = chunk.indexOf(QUOTE, at);
      const limit = end === -1 ? chunk.length : end;
      const slash = chunk.subarray(at, limit).indexOf(BACKSLASH);
      const stop = slash === -1 ? limit : at + slash;
      const piece = chunk.subarray(at, stop);
      at = stop;
      if (half !== "" && (piece.length > 0 || slash === -1)) {
        yield Buffer.from(half);
        half = "";
      }
      if (piece.length > 0) yield piece;
      if (slash !== -1) {
        at += 1;
        half += await escapedCharacter();
        if (!/^[\ud800-\udbff]$/.test(half)) {
          yield Buffer.from(half);
          half = "";
        }
      } else if (end !== -1) {
        at += 1;
        return;
      }
    }
  }

  const string = async (): Promise<string> => {
    const pieces: Buffer[] = [];
    let bytes = 0;
    for await (const piece of stringPieces()) {
      bytes += piece.length;
      if (bytes > MAX_VALUE_BYTES) throw new BrokenJsonError("a JSON string is longer than it should be");
      pieces.push(Buffer.from(piece));
    }
    return Buffer.concat(pieces).toString("utf8");
  };

  /** Passes over a value and gives each of its bytes to `keep`. */
  const walk = async (keep: (piece: string) => void): Promise<void> => {
    let depth = 0;
    do {
      const next = await peek();
      if (next === QUOTE) {
        const decoder = new StringDecoder("utf8");
        keep('"');
        for await (const piece of stringPieces()) keep(JSON.stringify(decoder.write(piece)).slice(1, -1));
        keep('"');
      } else {
        if (depth === 0 && !OPEN.has(next)) return scalar(keep);
        depth += OPEN.has(next) ? 1 : CLOSE.has(next) ? -1 : 0;
        keep(String.fromCharCode(await byte()));
      }
    } while (depth > 0);
  };

  const scalar = async (keep: (piece: string) => void): Promise<void> => {
    while (/[-+.\w]/.test(String.fromCharCode(await peek()))) keep(String.fromCharCode(await byte()));
  };

  const value = async (): Promise<string> => {
    let text = "";
    await walk((piece) => {
      text += piece;
      if (text.length > MAX_VALUE_BYTES) throw new BrokenJsonError("a JSON value is longer than it should be");
    });
    return text;
  };

  const end = async (): Promise<void> => {
    let rest: Uint8Array | undefined = chunk.subarray(at);
    while (rest !== undefined) {
      if (rest.some((byte) => !SPACE.has(byte))) throw new BrokenJsonError("the JSON text goes on after its end");
      const next: IteratorResult<Uint8Array, unknown> = await chunks.next();
      rest = next.done ? undefined : next.value;
    }
  };

  return { peek, accept, expect, string, stringPieces, value, skip: () => walk(() => {}), end };
};
