import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { promisify } from "node:util";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { azureBlobs } from "../../../shared/storage/azure-blobs.ts";
import { type Blobs, collect } from "../../../shared/storage/blobs.ts";
import { VaultDamageError } from "../../../shared/vault/damage.ts";
import { readItem, readPackIndex } from "../../../shared/vault/pack-reader.ts";
import { openPack, type PackOptions } from "../../../shared/vault/pack-writer.ts";
import type { PutRecord, StoredItem } from "../../../shared/vault/records.ts";
import { useAzurite } from "../../support/azurite.ts";
import { memoryBlobs } from "../storage/memory-blobs.ts";
import { anItem, aPack, aPut, aStoredItem, inChunks } from "./samples.ts";

const run = promisify(execFile);
const small: PackOptions = { blockBytes: 4_096, bufferBytes: 512 };
const mail = Buffer.from("Dear all, the meeting is moved to Thursday. ".repeat(200), "utf16le");

const writePack = async (blobs: Blobs, items: Uint8Array[], options?: PackOptions) => {
  const writer = openPack(blobs, aPack, options);
  const records: PutRecord[] = [];
  for (const [n, item] of items.entries())
    records.push(aPut({ id: `item ${n}`, ...(await writer.addItem(inChunks(item))) }));
  return { records, outcome: await writer.close(records) };
};

const raw = (blobs: Blobs, record: StoredItem & { id: string }): Promise<Buffer> => collect(readItem(blobs, record));

describe("a pack", () => {
  test("returns every item by its range, and the records from its index", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anItem, { maxLength: 6 }), async (items) => {
        const blobs = memoryBlobs();
        const { records, outcome } = await writePack(blobs, items, small);

        expect(outcome).toBe("created");
        for (const [n, record] of records.entries())
          expect(await raw(blobs, record)).toEqual(Buffer.from(items[n] as Uint8Array));
        expect(await readPackIndex(blobs, aPack)).toEqual(records);
      }),
      { numRuns: 60 },
    );
  });

  test("stores an item in the smaller of its two forms", async () => {
    const blobs = memoryBlobs();
    const { records } = await writePack(blobs, [mail, randomBytes(5_000), Buffer.alloc(0)]);

    expect(records.map(({ method }) => method)).toEqual(["deflate", "store", "store"]);
    expect(records.map(({ rawBytes }) => rawBytes)).toEqual([mail.length, 5_000, 0]);
    expect(records.map(({ storedBytes }) => storedBytes).slice(1)).toEqual([5_000, 0]);
  });

  test("stores an item longer than the buffer in the better form for its beginning", async () => {
    const blobs = memoryBlobs();
    const noise = randomBytes(5_000);
    const items = [Buffer.concat([mail, noise]), Buffer.concat([noise, mail])];
    const { records } = await writePack(blobs, items, small);

    expect(records.map(({ method }) => method)).toEqual(["deflate", "store"]);
    expect(records[0]?.storedBytes).toBeLessThan(noise.length + mail.length / 4);
  });

  test("takes one write up to a block, and blocks and one commit beyond", async () => {
    const one = memoryBlobs();
    await writePack(one, [randomBytes(1_000)], { ...small, blockBytes: 4_096 });
    expect(one.writes.map((write) => write.split(" ")[0])).toEqual(["create"]);

    const many = memoryBlobs();
    await writePack(many, [randomBytes(10_000)], { ...small, blockBytes: 4_096 });
    expect(many.writes.map((write) => write.split(" ")[0])).toEqual(["stage", "stage", "stage", "commit"]);
  });

  test("does not need a chunk's memory after it was read", async () => {
    const blobs = memoryBlobs();
    const reused = Buffer.alloc(100);
    const writer = openPack(blobs, aPack, small);
    const source = async function* () {
      for (let n = 0; n < 50; n += 1) yield reused.fill(n);
    };
    const stored = await writer.addItem(source());
    await writer.close([]);

    const expected = Buffer.concat(Array.from({ length: 50 }, (_, n) => Buffer.alloc(100, n)));
    expect(await raw(blobs, { id: "i", ...stored })).toEqual(expected);
  });

  test.each([100, 3_000])("survives a source that breaks off after %i bytes", async (bytes) => {
    const blobs = memoryBlobs();
    const writer = openPack(blobs, aPack, small);
    const broken = async function* () {
      yield randomBytes(bytes);
      throw new Error("connection reset");
    };
    const before = await writer.addItem(inChunks(mail));
    await expect(writer.addItem(broken())).rejects.toThrow("connection reset");
    const after = await writer.addItem(inChunks(mail));
    const records = [before, after].map((stored, n) => aPut({ id: `${n}`, ...stored }));
    await writer.close(records);

    for (const record of records) expect(await raw(blobs, record)).toEqual(mail);
    expect(await readPackIndex(blobs, aPack)).toEqual(records);
  });

  test("waits for its own upload before it throws the error of a source", async () => {
    const hex = Buffer.from(randomBytes(10_000).toString("hex"));
    const blobs = memoryBlobs();
    const slow: Blobs = {
      ...blobs,
      stage: async (...args) => {
        for (let turn = 0; turn < 20; turn += 1) await setImmediate();
        return blobs.stage(...args);
      },
    };
    const writer = openPack(slow, aPack, { blockBytes: 1_024, bufferBytes: 512 });
    const broken = async function* () {
      yield* inChunks(hex);
      throw new Error("connection reset");
    };
    await expect(writer.addItem(broken())).rejects.toThrow("connection reset");
    const stored = await writer.addItem(inChunks(mail));
    await writer.close([]);

    expect(await raw(blobs, { id: "i", ...stored })).toEqual(mail);
  });

  test("is lost with a block that could not be uploaded", async () => {
    const failing: Blobs = { ...memoryBlobs(), stage: () => Promise.reject(new Error("server busy")) };
    const writer = openPack(failing, aPack, small);

    await expect(writer.addItem(inChunks(randomBytes(5_000)))).rejects.toThrow("server busy");
    await expect(writer.addItem(inChunks(Buffer.of(1)))).rejects.toThrow("a block is missing");
    await expect(writer.close([])).rejects.toThrow("a block is missing");
  });

  test("refuses a second item before the first is in", async () => {
    const writer = openPack(memoryBlobs(), aPack);
    const first = writer.addItem(inChunks(mail));

    await expect(writer.addItem(inChunks(mail))).rejects.toThrow("one at a time");
    await first;
  });

  test("refuses a name that is not a pack's", () => {
    expect(() => openPack(memoryBlobs(), "../c0-b0.zip")).toThrow();
  });

  test("without items still holds the records of its batch", async () => {
    const blobs = memoryBlobs();
    const skip = { v: 1, op: "skip", id: "i", folderId: "f", reason: "corrupt", code: "ErrorItemCorrupt" } as const;
    await openPack(blobs, aPack).close([skip]);

    expect(await readPackIndex(blobs, aPack)).toEqual([skip]);
  });

  test("has no index when it does not exist", async () => {
    expect(await readPackIndex(memoryBlobs(), aPack)).toBeUndefined();
  });

  test("returns an index that is longer than one read", async () => {
    const blobs = memoryBlobs();
    const records = Array.from({ length: 400 }, (_, n) =>
      aPut({ id: randomBytes(200).toString("hex"), ...aStoredItem({ offset: n }) }),
    );
    await openPack(blobs, aPack).close(records);

    expect(await readPackIndex(blobs, aPack)).toEqual(records);
  });
});

describe.each([
  ["whole", {}],
  ["staged", small],
])("a pack in Blob Storage, %s", (_, options) => {
  test("is not changed by a second writer, which reads the first one's index", async () => {
    const blobs = azureBlobs(await useAzurite().freshContainer());
    const noise = randomBytes(20_000);
    const first = await writePack(blobs, [mail, noise], options);
    const before = await blobs.readWhole(aPack);
    const second = await writePack(blobs, [mail], options);

    expect([first.outcome, second.outcome]).toEqual(["created", "exists"]);
    expect(await blobs.readWhole(aPack)).toEqual(before);
    expect(await readPackIndex(blobs, aPack)).toEqual(first.records);
    expect(await raw(blobs, first.records[1] as PutRecord)).toEqual(noise);
  });

  test("has nothing of a longer item that turns out to be stored elsewhere", async () => {
    const blobs = azureBlobs(await useAzurite().freshContainer());
    const [one, noise, other] = [randomBytes(9_000), randomBytes(20_000), randomBytes(9_000)];
    const findStored: PackOptions["findStored"] = async ({ rawBytes }) =>
      rawBytes === noise.length ? aStoredItem({ rawBytes }) : undefined;
    const { records, outcome } = await writePack(blobs, [noise, one, noise, other, noise], { ...options, findStored });

    expect(outcome).toBe("created");
    expect((await blobs.info(aPack))?.bytes).toBeLessThan(25_000);
    expect(await readPackIndex(blobs, aPack)).toEqual(records);
    expect(await raw(blobs, records[1] as PutRecord)).toEqual(one);
    expect(await raw(blobs, records[3] as PutRecord)).toEqual(other);
  });

  test("is whole, and has one winner, after two writers at the same time", async () => {
    const blobs = azureBlobs(await useAzurite().freshContainer());
    const tries = await Promise.all([
      writePack(blobs, [mail, randomBytes(20_000)], options),
      writePack(blobs, [randomBytes(20_000), mail], options),
    ]);

    expect(tries.map(({ outcome }) => outcome).sort()).toEqual(["created", "exists"]);
    const winner = tries.find(({ outcome }) => outcome === "created");
    expect(await readPackIndex(blobs, aPack)).toEqual(winner?.records);
    for (const record of winner?.records ?? []) expect((await raw(blobs, record)).length).toBe(record.rawBytes);
  });
});

describe("a damaged pack", () => {
  const damaged = async (spoil: (pack: Buffer, record: PutRecord) => Buffer, item: Uint8Array) => {
    const blobs = memoryBlobs();
    const { records } = await writePack(blobs, [item]);
    const [record] = records as [PutRecord];
    const stored = blobs.blobs.get(aPack);
    if (stored) stored.body = spoil(stored.body, record);
    return { blobs, record };
  };
  const flip = (pack: Buffer, at: number): Buffer => {
    pack[at] = (pack[at] ?? 0) ^ 0x20;
    return pack;
  };

  const items: [string, Buffer][] = [
    ["stored", randomBytes(3_000)],
    ["deflated", mail],
  ];

  test.each(items)("throws an error that names it and the %s item that was altered", async (_, item) => {
    const spoil = (pack: Buffer, record: PutRecord) => flip(pack, record.offset + Math.floor(record.storedBytes / 2));
    const { blobs, record } = await damaged(spoil, item);

    const reading = raw(blobs, record);
    await expect(reading).rejects.toThrow(VaultDamageError);
    await expect(reading).rejects.toMatchObject({ blob: aPack, itemId: record.id });
  });

  test.each(items)("never returns another whole %s item", async (_, item) => {
    await fc.assert(
      fc.asyncProperty(fc.double({ min: 0, max: 0.999, noNaN: true }), async (where) => {
        const spoil = (pack: Buffer, record: PutRecord) =>
          flip(pack, record.offset + Math.floor(where * record.storedBytes));
        const { blobs, record } = await damaged(spoil, item);

        const reading = await raw(blobs, record).catch((error: unknown) => error);
        // The last bits of a deflate stream may be padding, which no content depends on.
        if (!(reading instanceof VaultDamageError)) expect(reading).toEqual(item);
      }),
      { numRuns: 25 },
    );
  });

  test.each(["store", "deflate"])("throws when it is cut off (%s)", async (method) => {
    const { blobs, record } = await damaged(
      (pack, { offset }) => pack.subarray(0, offset + 20),
      method === "store" ? randomBytes(3_000) : mail,
    );

    await expect(raw(blobs, record)).rejects.toThrow(`${aPack}, item ${record.id}`);
    await expect(readPackIndex(blobs, aPack)).rejects.toThrow(VaultDamageError);
  });

  test("throws when it is missing", async () => {
    const { blobs, record } = await damaged((pack) => pack, mail);
    await blobs.remove(aPack);

    await expect(raw(blobs, record)).rejects.toThrow("the pack is missing");
  });

  test("throws when its tail was altered", async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(100), async (fromEnd) => {
        const { blobs } = await damaged((pack) => flip(pack, pack.length - 1 - fromEnd), mail);

        const reading = await readPackIndex(blobs, aPack).catch((error: unknown) => error);
        if (!(reading instanceof VaultDamageError)) expect(reading).toMatchObject([{ op: "put" }]);
      }),
      { numRuns: 101 },
    );
  });
});

describe("a pack outside the program", () => {
  let dir: string;
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), "pack-"));
  });
  afterAll(() => rm(dir, { recursive: true }));

  test.each([
    ["with items of all kinds", [mail, randomBytes(2_000), Buffer.alloc(0)], {}],
    ["with items longer than the buffer", [mail, randomBytes(20_000), Buffer.alloc(0), mail], small],
    ["with nothing but its index", [], {}],
  ])("opens with unzip, %s", async (_, items, options) => {
    const blobs = memoryBlobs();
    const { records } = await writePack(blobs, items, options);
    const file = join(dir, "pack.zip");
    await writeFile(file, blobs.blobs.get(aPack)?.body ?? "");

    expect((await run("unzip", ["-t", file])).stdout).toContain("No errors detected");
    const { stdout } = await run("unzip", ["-p", file, "index.json"]);
    expect(JSON.parse(stdout)).toEqual({ v: 1, pack: aPack, records });
    for (const [n, item] of items.entries()) {
      const entry = await run("unzip", ["-p", file, `${n}.fts`], { encoding: "buffer" });
      expect(entry.stdout).toEqual(Buffer.from(item));
    }
  });
});
