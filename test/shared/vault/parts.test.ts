import { gunzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { VaultDamageError } from "../../../shared/vault/damage.ts";
import type { PartRef } from "../../../shared/vault/manifest.ts";
import { partName } from "../../../shared/vault/names.ts";
import { readPart, refPart } from "../../../shared/vault/part-reader.ts";
import { MAX_PART_RECORDS, writePart } from "../../../shared/vault/part-writer.ts";
import type { CatalogueRecord } from "../../../shared/vault/records.ts";
import { memoryBlobs } from "../storage/memory-blobs.ts";
import { aKey, all, aPut, aSnapshot, someFacts } from "./samples.ts";

const name = partName(aKey, aSnapshot, "w1-l2");
const text = fc.string({ minLength: 1, unit: "grapheme" });
const v = fc.constant(1 as const);
const aRecord: fc.Arbitrary<CatalogueRecord> = fc.oneof(
  fc.record({ id: text, folderId: text, subject: text, categories: fc.array(text) }).map(aPut),
  fc.record({ v, op: fc.constant("remove" as const), id: text, folderId: text, reason: text }),
  fc.record({ v, op: fc.constant("folder" as const), id: text, removed: fc.constant(true as const) }),
  fc.record({ v, op: fc.constant("folder" as const), id: text, displayName: text, path: text, type: text }),
  fc.record({ v, op: fc.constant("skip" as const), id: text, folderId: text, reason: text, code: text }),
  fc
    .record({ id: text, folderId: text })
    .map((item) => ({ v: 1, op: "fail", ...someFacts(item), reason: "r", code: "c" })),
) as fc.Arbitrary<CatalogueRecord>;

const written = async (blobs: ReturnType<typeof memoryBlobs>, records: CatalogueRecord[]): Promise<PartRef> => {
  const ref = await writePart(blobs, name, records, { exported: "20" });
  if (ref === "exists") throw new Error("the part was there before");
  return ref;
};

describe("a part", () => {
  test("returns its records in either order", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(aRecord), async (records) => {
        const blobs = memoryBlobs();
        const ref = await written(blobs, records);

        expect(await all(readPart(blobs, ref))).toEqual(records);
        expect(await all(readPart(blobs, ref, "last-to-first"))).toEqual(records.toReversed());
        expect(ref).toMatchObject({ name, records: records.length, bytes: blobs.blobs.get(name)?.body.length });
      }),
    );
  });

  test("is gzip JSON lines", async () => {
    const blobs = memoryBlobs();
    const records = [aPut({ subject: "line\nfeed" }), aPut({ id: "2" })];
    await written(blobs, records);

    const lines = gunzipSync(blobs.blobs.get(name)?.body ?? "")
      .toString()
      .split("\n");
    expect(lines.pop()).toBe("");
    expect(lines.map((line) => JSON.parse(line))).toEqual(records);
  });

  test("is written once; a second writer gets the first one's reference", async () => {
    const blobs = memoryBlobs();
    const ref = await written(blobs, [aPut()]);

    expect(await writePart(blobs, name, [], { exported: "0" })).toBe("exists");
    expect(await refPart(blobs, name)).toEqual({ ref, metadata: expect.objectContaining({ exported: "20" }) });
  });

  test("has no reference before it is written", async () => {
    expect(await refPart(memoryBlobs(), name)).toBeUndefined();
  });

  test("is refused when a record could not be read back", async () => {
    const blobs = memoryBlobs();
    await expect(writePart(blobs, name, [aPut({ sha256: "?" })])).rejects.toThrow();
    expect(blobs.blobs.size).toBe(0);
  });

  test("is refused when it is too long for a reader to hold", async () => {
    const records = Array.from({ length: MAX_PART_RECORDS + 1 }, () => aPut());
    await expect(writePart(memoryBlobs(), name, records)).rejects.toThrow("write several");
  });
});

describe("a damaged part", () => {
  test.each<[string, (body: Buffer) => Buffer | undefined, Partial<PartRef>, string]>([
    ["altered", (body) => body.fill(0, 12, 13), {}, "SHA-256"],
    ["cut off", (body) => body.subarray(0, -9), {}, "SHA-256"],
    ["gone", () => undefined, {}, "missing"],
    ["short of records", (body) => body, { records: 3 }, "has 2 records, not 3"],
  ])("returns no record and throws: %s", async (_, spoil, claim, message) => {
    const blobs = memoryBlobs();
    const ref = await written(blobs, [aPut(), aPut({ id: "2" })]);
    const stored = blobs.blobs.get(name);
    const body = stored && spoil(stored.body);
    if (stored && body) stored.body = body;
    else blobs.blobs.delete(name);

    const reading = readPart(blobs, { ...ref, ...claim }).next();
    await expect(reading).rejects.toThrow(VaultDamageError);
    await expect(reading).rejects.toThrow(message);
  });
});
