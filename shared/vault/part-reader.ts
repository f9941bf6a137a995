import { setImmediate as yieldToEventLoop } from "node:timers/promises";
import { promisify } from "node:util";
import { gunzip, gunzipSync } from "node:zlib";
import * as z from "zod";
import type { Blobs, Metadata } from "../storage/blobs.ts";
import { parseVaultJson, VaultDamageError } from "./damage.ts";
import type { PartRef } from "./manifest.ts";
import type { PartName } from "./names.ts";
import { reference } from "./part-writer.ts";
import { CatalogueRecord, Sha256 } from "./records.ts";

const unzipInThread = promisify(gunzip);

/** Up to this size, a part is unzipped within a millisecond, and handing it to a thread costs more than it saves. */
const SYNC_BYTES = 16 * 1024;

/** Records parsed between two turns of the event loop: about 6 ms of work. */
const RECORDS_PER_TURN = 500;

const LINE_FEED = 10;

/**
 * The records of a part, in the order written or last first, without the first `from` of that order. The part's bytes
 * are checked against the reference first. Holds one part in memory.
 *
 * @throws {VaultDamageError} when the part is missing or altered, or a line is not a record.
 */
export async function* readPart(
  blobs: Blobs,
  part: PartRef,
  order: "first-to-last" | "last-to-first" = "first-to-last",
  from = 0,
): AsyncGenerator<CatalogueRecord> {
  const found = await blobs.readWhole(part.name);
  if (found === undefined) throw new VaultDamageError("the part is missing", { blob: part.name });
  const { sha256, bytes } = reference(part.name, found.body, part.records);
  if (sha256 !== part.sha256)
    throw new VaultDamageError(`the part has the SHA-256 ${sha256}, not ${part.sha256}`, { blob: part.name });

  if (bytes !== part.bytes)
    throw new VaultDamageError(`the part has ${bytes} bytes, not ${part.bytes}`, { blob: part.name });

  const { text, starts } = await linesOf(part.name, found.body);
  if (starts.length !== part.records)
    throw new VaultDamageError(`the part has ${starts.length} records, not ${part.records}`, { blob: part.name });

  for (let n = from; n < starts.length; n += 1) {
    const line = order === "first-to-last" ? n : starts.length - 1 - n;
    yield parseVaultJson(part.name, text.subarray(starts[line], starts[line + 1]), CatalogueRecord);
    if (n % RECORDS_PER_TURN === RECORDS_PER_TURN - 1) await yieldToEventLoop();
  }
}

const Tally = z.coerce.number().int().nonnegative();
const Reference = z.looseObject({ sha256: Sha256, records: Tally, leftout: Tally.optional() });

/** The reference and metadata of an existing part, without reading its content; `undefined` when it does not exist. */
export const refPart = async (
  blobs: Blobs,
  name: PartName,
): Promise<{ ref: PartRef; metadata: Metadata } | undefined> => {
  const info = await blobs.info(name);
  if (info === undefined) return undefined;
  const written = Reference.safeParse(info.metadata);
  if (!written.success) throw new VaultDamageError("the part has no reference in its metadata", { blob: name });
  const { sha256, records, leftout: leftOut } = written.data;
  const ref = { name, sha256, bytes: info.bytes, records, ...(leftOut === undefined ? {} : { leftOut }) };
  return { ref, metadata: info.metadata };
};

const linesOf = async (name: PartName, body: Buffer): Promise<{ text: Buffer; starts: number[] }> => {
  const text = await unzip(name, body);
  if (text.length > 0 && text.at(-1) !== LINE_FEED)
    throw new VaultDamageError("the last line is cut off", { blob: name });

  const starts: number[] = [];
  for (let at = 0; at < text.length; at = text.indexOf(LINE_FEED, at) + 1) starts.push(at);
  return { text, starts };
};

const unzip = async (name: PartName, body: Buffer): Promise<Buffer> => {
  try {
    return body.length <= SYNC_BYTES ? gunzipSync(body) : await unzipInThread(body);
  } catch (cause) {
    throw new VaultDamageError("not a whole gzip file", { blob: name, cause });
  }
};
