import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeBase64 } from "../../../shared/graph/base64-decode.ts";
import { base64Length, encodeBase64 } from "../../../shared/graph/base64-encode.ts";
import { BrokenAnswerError } from "../../../shared/graph/broken-answer.ts";
import { collect } from "../../../shared/storage/blobs.ts";
import { all, inChunks } from "../vault/samples.ts";

const bytes = fc.uint8Array({ maxLength: 200 });
const sizes = fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 20 });

/** Pieces of the given sizes in turn, some of them empty, as views into one buffer. */
async function* split(source: Uint8Array, pieceSizes: readonly number[]): AsyncGenerator<Buffer> {
  const buffer = Buffer.from(source);
  for (let at = 0, piece = 0; at < buffer.length; piece += 1) {
    const size = Math.max(pieceSizes[piece % pieceSizes.length] ?? 1, piece % 2);
    yield buffer.subarray(at, at + size);
    at += size;
  }
}

const decoded = (text: string, chunkBytes = 1_000): Promise<Buffer> =>
  collect(decodeBase64(inChunks(Buffer.from(text), chunkBytes) as AsyncGenerator<Buffer>));

describe("encodeBase64", () => {
  test("encodes as Node does, in pieces of any size, with the length that was announced", async () => {
    await fc.assert(
      fc.asyncProperty(bytes, sizes, async (source, pieceSizes) => {
        const text = (await all(encodeBase64(split(source, pieceSizes)))).join("");
        expect(text).toBe(Buffer.from(source).toString("base64"));
        expect(base64Length(source.length)).toBe(text.length);
      }),
    );
  });
});

describe("decodeBase64", () => {
  test("decodes what was encoded, in pieces of any size", async () => {
    await fc.assert(
      fc.asyncProperty(bytes, sizes, async (source, pieceSizes) => {
        const text = Buffer.from(Buffer.from(source).toString("base64"));
        expect(await collect(decodeBase64(split(text, pieceSizes)))).toEqual(Buffer.from(source));
      }),
    );
  });

  test.each([
    "Q",
    "QQ",
    "QQ=",
    "QUJD=",
    "QUJ*",
    "QU JD",
    "QUJD\n",
    "Q===",
    "====",
    "QQ==QUJD",
    "QQ==QQ==",
    "QU-_",
    "QUé",
  ])("refuses %j, in pieces of any size", async (text) => {
    for (let chunkBytes = 1; chunkBytes <= 9; chunkBytes += 1) {
      await expect(decoded(text, chunkBytes)).rejects.toThrow(BrokenAnswerError);
    }
  });

  test("decodes nothing to nothing", async () => {
    expect(await decoded("")).toHaveLength(0);
  });
});
