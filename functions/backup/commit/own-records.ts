import type { MailboxKey, RunId } from "../../../shared/contracts/ids.ts";
import type { Blobs } from "../../../shared/storage/blobs.ts";
import { existing } from "../../../shared/storage/create-once.ts";
import type { PartRef } from "../../../shared/vault/manifest.ts";
import { packName, partName, RECORDS_CHUNK } from "../../../shared/vault/names.ts";
import { openPack } from "../../../shared/vault/pack-writer.ts";
import { refPart } from "../../../shared/vault/part-reader.ts";
import { MAX_PART_RECORDS, writePart } from "../../../shared/vault/part-writer.ts";
import type { CatalogueRecord } from "../../../shared/vault/records.ts";

/** Writes records as parts of a run, as many as they need. Parts of an earlier try have the same records. */
export const writeParts = async (
  vault: Blobs,
  key: MailboxKey,
  runId: RunId,
  word: string,
  records: readonly CatalogueRecord[],
): Promise<PartRef[]> => {
  const refs: PartRef[] = [];
  for (let from = 0; from < records.length; from += MAX_PART_RECORDS) {
    const name = partName(key, runId, `${word}-${String(refs.length).padStart(5, "0")}`);
    const written = await writePart(vault, name, records.slice(from, from + MAX_PART_RECORDS));
    refs.push(written === "exists" ? existing(name, await refPart(vault, name)).ref : written);
  }
  return refs;
};

/**
 * Packs the records that belong to no batch, so that the catalogue can be rebuilt from packs alone.
 * A rebuilt one has no delta links, so they are left out. A pack of an earlier try has the same records.
 */
export const packRecords = async (
  vault: Blobs,
  key: MailboxKey,
  runId: RunId,
  records: readonly CatalogueRecord[],
): Promise<void> => {
  for (let number = 0; number * MAX_PART_RECORDS < records.length; number += 1) {
    const some = records.slice(number * MAX_PART_RECORDS, (number + 1) * MAX_PART_RECORDS).map(withoutLink);
    await openPack(vault, packName(key, runId, RECORDS_CHUNK, number)).close(some);
  }
};

const withoutLink = (record: CatalogueRecord): CatalogueRecord => {
  if (record.op !== "folder" || "removed" in record) return record;
  const { deltaLink: _, ...rest } = record;
  return rest;
};
