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

/** A JSON text that ends early, or that is not what the reader expects. */
export class BrokenJsonError extends Error {
  override readonly name = "BrokenJsonError";
}

/** Longest value that is held in memory; a longer one must be streamed or skipped. */
const MAX_VALUE_BYTES = 64 * 1024;

/**
 * Reads JSON from a stream without holding it: token by token, and strings of any length in pieces. It checks the
 * structure only where it needs it to go on. A stream that ends early throws a {@link BrokenJsonError}.
 */
export interface JsonReader {
  /** Returns the next byte that is not white space, without consuming it. */
  peek(): Promise<number>;
  /** Consumes the next byte that is not white space. Throws unless it is `character`. */
  expect(character: string): Promise<void>;
  /** Consumes the next byte that is not white space if it is `character`, and returns whether it is. */
  accept(character: string): Promise<boolean>;
  /** Reads a string of at most 64 KiB. */
  string(): Promise<string>;
  /** Reads the content of a string in pieces, as UTF-8 bytes. It must be read to its end. */
  stringPieces(): AsyncGenerator<Buffer>;
  /** Reads any value of at most 64 KiB, and returns its text. */
  value(): Promise<string>;
  /** Skips any value of any size. */
  skip(): Promise<void>;
  /** Reads to the end of the stream. Throws on anything but white space. */
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
      throw new BrokenJsonError(`the JSON text has another character than the expected ${character}`);
  };

  const escapedCharacter = async (): Promise<string> => {
    const kind = await byte();
    if (kind !== LOWER_U) {
      const character = ESCAPES.get(String.fromCharCode(kind));
      if (character === undefined) throw new BrokenJsonError("the JSON text has an unknown escape");
      return character;
    }
    const digits = String.fromCharCode(await byte(), await byte(), await byte(), await byte());
    if (!/^[\da-f]{4}$/i.test(digits)) throw new BrokenJsonError("the JSON text has an unknown escape");
    return String.fromCharCode(Number.parseInt(digits, 16));
  };

  /** Surrogate halves are escaped one by one, so an escape may need the next one before it can be encoded. */
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
      if (bytes > MAX_VALUE_BYTES) throw new BrokenJsonError("a JSON string is longer than 64 KiB");
      pieces.push(Buffer.from(piece));
    }
    return Buffer.concat(pieces).toString("utf8");
  };

  /** Reads a value and passes its text to `emit`, piece by piece. */
  const walk = async (emit: (piece: string) => void): Promise<void> => {
    let depth = 0;
    do {
      const next = await peek();
      if (next === QUOTE) {
        const decoder = new StringDecoder("utf8");
        emit('"');
        for await (const piece of stringPieces()) emit(JSON.stringify(decoder.write(piece)).slice(1, -1));
        emit('"');
      } else {
        if (depth === 0 && !OPEN.has(next)) return scalar(emit);
        depth += OPEN.has(next) ? 1 : CLOSE.has(next) ? -1 : 0;
        emit(String.fromCharCode(await byte()));
      }
    } while (depth > 0);
  };

  const scalar = async (emit: (piece: string) => void): Promise<void> => {
    while (/[-+.\w]/.test(String.fromCharCode(await peek()))) emit(String.fromCharCode(await byte()));
  };

  const value = async (): Promise<string> => {
    let text = "";
    await walk((piece) => {
      text += piece;
      if (text.length > MAX_VALUE_BYTES) throw new BrokenJsonError("a JSON value is longer than 64 KiB");
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
