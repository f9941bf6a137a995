import { createHash } from "node:crypto";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import type { Blobs, Metadata } from "../storage/blobs.ts";
import type { PartRef } from "./manifest.ts";
import { PartName } from "./names.ts";
import { CatalogueRecord } from "./records.ts";

const compress = promisify(gzip);

/** Most records in one part: a reader holds a whole part in memory, about a kilobyte per record. */
export const MAX_PART_RECORDS = 20_000;

/**
 * Writes catalogue records as one immutable blob of gzip JSON lines. `exists` when the part exists already: its content
 * is kept, and {@link refPart} returns its reference from the part's metadata. Throws on a record that could not be
 * read back.
 */
export const writePart = async (
  blobs: Blobs,
  name: PartName,
  records: readonly CatalogueRecord[],
  metadata: Metadata = {},
): Promise<PartRef | "exists"> => {
  if (records.length > MAX_PART_RECORDS)
    throw new Error(`${name}: ${records.length} records; a part holds at most ${MAX_PART_RECORDS}, so write several`);

  const lines = records.map((record) => `${JSON.stringify(CatalogueRecord.parse(record))}\n`);
  const body = await compress(lines.join(""));
  const leftOut = records.filter(({ op }) => op === "skip" || op === "fail").length;
  const part = { ...reference(PartName.parse(name), body, records.length), ...(leftOut > 0 ? { leftOut } : {}) };
  const own = {
    sha256: part.sha256,
    records: String(part.records),
    ...(leftOut > 0 ? { leftout: String(leftOut) } : {}),
  };
  const outcome = await blobs.create(name, body, {
    contentType: "application/gzip",
    metadata: { ...metadata, ...own },
  });
  return outcome === "exists" ? outcome : part;
};

/** The reference of a part, from its stored bytes. */
export const reference = (name: PartName, body: Uint8Array, records: number): PartRef => ({
  name,
  sha256: createHash("sha256").update(body).digest("hex"),
  bytes: body.length,
  records,
});
