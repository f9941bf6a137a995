import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { BrokenJsonError, type JsonReader, jsonReader } from "../../../shared/json/json-reader.ts";
import { collect } from "../../../shared/storage/blobs.ts";
import { inChunks } from "../vault/samples.ts";

const text = fc.string({ unit: "binary", maxLength: 40 });
const json = fc.jsonValue({ stringUnit: "binary", maxDepth: 3 });

/** JSON text with escapes and white space as another writer may use them. */
const spelt = (value: unknown, space: string, escapeAll: boolean): string => {
  const compact = JSON.stringify(value, null, space);
  if (!escapeAll) return compact;
  return compact.replaceAll(/[^\x20-\x7e\n\t]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
};

const readerOf = (source: string | Buffer, chunkBytes: number): JsonReader =>
  jsonReader(inChunks(Buffer.from(source), chunkBytes));

/** Every chunk size: a boundary then falls between any two bytes. */
const forEveryChunking = async (source: string, check: (json: JsonReader) => Promise<void>): Promise<void> => {
  const bytes = Buffer.byteLength(source);
  for (let chunkBytes = 1; chunkBytes <= Math.min(bytes, 24); chunkBytes += 1)
    await check(readerOf(source, chunkBytes));
  await check(readerOf(source, bytes));
};

describe("jsonReader", () => {
  test.each([
    ["{}", true],
    ["{} \n\t ", true],
    ["{} }", false],
    ["{}\n\nx", false],
  ])("finds out whether %j ends after its value", async (source, isAtEnd) => {
    await forEveryChunking(source, async (json) => {
      await json.skip();
      const end = json.end();
      if (isAtEnd) await expect(end).resolves.toBeUndefined();
      else await expect(end).rejects.toThrow(BrokenJsonError);
    });
  });

  test("reads any string as JSON.parse does, wherever the text is split", async () => {
    await fc.assert(
      fc.asyncProperty(text, fc.boolean(), async (value, escapeAll) => {
        await forEveryChunking(` ${spelt(value, "", escapeAll)} `, async (json) => {
          expect(await json.string()).toBe(value);
        });
      }),
      { numRuns: 60 },
    );
  });

  test("returns the text of any value, wherever it is split", async () => {
    await fc.assert(
      fc.asyncProperty(json, fc.constantFrom("", " ", "\n\t"), fc.boolean(), async (value, space, escapeAll) => {
        await forEveryChunking(`[${spelt(value, space, escapeAll)} ]`, async (reader) => {
          await reader.expect("[");
          expect(JSON.parse(await reader.value())).toEqual(JSON.parse(JSON.stringify(value)));
          await reader.expect("]");
        });
      }),
      { numRuns: 60 },
    );
  });

  test("skips any value to its very end", async () => {
    await fc.assert(
      fc.asyncProperty(json, fc.integer({ min: 1, max: 50 }), async (value, chunkBytes) => {
        const reader = readerOf(`[${JSON.stringify(value)}, "next"]`, chunkBytes);
        await reader.expect("[");
        await reader.skip();
        await reader.expect(",");
        expect(await reader.string()).toBe("next");
        expect(await reader.accept(",")).toBe(false);
        expect(await reader.accept("]")).toBe(true);
      }),
    );
  });

  test("returns a string of any length in pieces", async () => {
    const long = "0123456789/+".repeat(50_000);
    const pieces = await collect(readerOf(JSON.stringify(long).replaceAll("/", "\\/"), 16_384).stringPieces());
    expect(pieces.toString() === long).toBe(true);
  });

  test.each([
    ['"\\/\\u002b\\u002F"', "/+/"],
    ['"\\ud83d\\ude00 \\u00e9"', "😀 é"],
    ['"\\"\\\\\\b\\f\\n\\r\\t"', '"\\\b\f\n\r\t'],
    ['"\\ud83dx"', "\ufffdx"],
    ['"\\ud83d"', "\ufffd"],
  ])("reads the escapes of %s", async (source, value) => {
    await forEveryChunking(source, async (reader) => {
      expect(await reader.string()).toBe(value);
    });
  });

  test.each(['"\\x"', '"\\u12g4"', '"\\u-001"', '"\\u 123"', "7", "{"])("refuses %s as a string", async (source) => {
    await expect(readerOf(source, 100).string()).rejects.toThrow(BrokenJsonError);
  });

  test("refuses a text that ends early, wherever it ends", async () => {
    const source = '{"a": ["é\\u00e9", {"b": null}, 1.5e3, true]}';
    const bytes = Buffer.from(source);
    for (let end = 0; end < bytes.length; end += 1) {
      await expect(readerOf(bytes.subarray(0, end), 7).skip()).rejects.toThrow(BrokenJsonError);
    }
    await readerOf(bytes, 7).skip();
  });

  test("refuses a string or value over 64 KiB, but skips it", async () => {
    const long = JSON.stringify("a".repeat(64 * 1024 + 1));

    await expect(readerOf(long, 1_000).string()).rejects.toThrow(/longer than 64 KiB/);
    await expect(readerOf(long, 1_000).value()).rejects.toThrow(/longer than 64 KiB/);
    await readerOf(long, 1_000).skip();
  });
});
