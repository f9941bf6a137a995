import { execFile } from "node:child_process";
import { mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { crc32 } from "node:zlib";
import { describe, expect, test } from "vitest";
import { readDirectory } from "../../../shared/vault/zip-directory.ts";
import { dataDescriptor, directory, localHeader, type ZipEntry } from "../../../shared/vault/zip-format.ts";

const run = promisify(execFile);
const GIB = 2 ** 30;
const data = Buffer.from("hello");
const sizes = { crc32: crc32(data), storedBytes: data.length, rawBytes: data.length };

const anEntry = (overrides: Partial<ZipEntry> = {}): ZipEntry => ({
  name: "0.fts",
  method: "store",
  headerOffset: 0,
  streamed: false,
  ...sizes,
  ...overrides,
});

/** Writes pieces at their offsets, leaving holes between them, and lets the test read the file as a program would. */
const withFile = async <T>(
  pieces: { at: number; bytes: Buffer }[],
  use: (file: string, bytes: number, read: (offset: number, length: number) => Promise<Buffer>) => Promise<T>,
): Promise<T> => {
  const dir = await mkdtemp(join(tmpdir(), "zip-"));
  const file = join(dir, "file.zip");
  const handle = await open(file, "w+");
  try {
    for (const { at, bytes } of pieces) await handle.write(bytes, 0, bytes.length, at);
    const { size } = await handle.stat();
    const read = async (offset: number, length: number): Promise<Buffer> =>
      (await handle.read(Buffer.alloc(length), 0, length, offset)).buffer;
    return await use(file, size, read);
  } finally {
    await handle.close();
    await rm(dir, { recursive: true });
  }
};

describe("a ZIP64 file", () => {
  test("may have more entries than a ZIP file without ZIP64", async () => {
    const local = Buffer.concat([localHeader("0.fts", "store", sizes), data]);
    const count = 66_000;
    const entries = Array.from({ length: count }, (_, n) => anEntry({ headerOffset: n * local.length }));
    const body = Buffer.concat(entries.map(() => local));
    const pieces = [{ at: 0, bytes: Buffer.concat([body, directory(entries, body.length)]) }];

    await withFile(pieces, async (file, bytes, read) => {
      expect((await run("unzip", ["-tqq", file])).stdout).toBe("");
      expect((await run("zipinfo", ["-h", file])).stdout).toContain(`number of entries: ${count}`);
      const found = await readDirectory(bytes, read);
      expect(found).toHaveLength(count);
      expect(found.at(-1)).toMatchObject({ offset: body.length - data.length, storedBytes: 5 });
    });
  });

  test("may be longer than a ZIP file without ZIP64", async () => {
    const streamed = Buffer.concat([localHeader("0.fts", "store", undefined), data, dataDescriptor(sizes)]);
    const last = Buffer.concat([localHeader("1.fts", "store", sizes), data]);
    const entries = [anEntry({ streamed: true }), anEntry({ name: "1.fts", headerOffset: 5 * GIB })];
    const end = 5 * GIB + last.length;
    const pieces = [
      { at: 0, bytes: streamed },
      { at: 5 * GIB, bytes: last },
      { at: end, bytes: directory(entries, end) },
    ];

    await withFile(pieces, async (file, bytes, read) => {
      expect((await run("unzip", ["-p", file, "1.fts"])).stdout).toBe("hello");
      expect((await run("unzip", ["-tqq", file])).stdout).toBe("");
      const found = await readDirectory(bytes, read);
      expect(found.at(-1)).toMatchObject({ name: "1.fts", offset: end - data.length, crc32: sizes.crc32 });
    });
  });

  test("may have a longer entry than a ZIP file without ZIP64", async () => {
    const long = { ...sizes, storedBytes: 5 * GIB, rawBytes: 6 * GIB };
    const header = localHeader("0.fts", "deflate", undefined);
    const descriptorAt = header.length + long.storedBytes;
    const end = descriptorAt + 24;
    const pieces = [
      { at: 0, bytes: header },
      { at: descriptorAt, bytes: dataDescriptor(long) },
      { at: end, bytes: directory([anEntry({ ...long, method: "deflate", streamed: true })], end) },
    ];

    await withFile(pieces, async (file, bytes, read) => {
      const { rawBytes, storedBytes } = long;
      expect(await readDirectory(bytes, read)).toMatchObject([{ offset: header.length, rawBytes, storedBytes }]);
      const { stdout } = await run("zipinfo", ["-v", file]);
      expect(stdout).toMatch(new RegExp(`compressed size: +${long.storedBytes} bytes`));
      expect(stdout).toMatch(new RegExp(`uncompressed size: +${long.rawBytes} bytes`));
    });
  });
});

describe("a file that is no ZIP file", () => {
  test.each(["", "short", "x".repeat(100)])("is refused: %j", async (text) => {
    await withFile([{ at: 0, bytes: Buffer.from(text) }], async (_, bytes, read) => {
      await expect(readDirectory(bytes, (offset, length) => read(Math.max(0, offset), length))).rejects.toThrow(
        RangeError,
      );
    });
  });
});
