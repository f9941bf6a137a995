import type { Manifest } from "./manifest.ts";
import { type PackName, packName, parseVaultName, RECORDS_CHUNK } from "./names.ts";
import { MAX_PART_RECORDS } from "./part-writer.ts";

/**
 * The packs with the records of a run that belong to no item: folders, removals and problems. No record names such a
 * pack. A snapshot has as many of those records as its parts have beside the records of items, unless it was rebuilt:
 * then its folders may have been found elsewhere.
 */
export const recordPacksOf = ({ mailboxKey, id, parts, counts }: Manifest): PackName[] => {
  if (parts.some(({ name }) => name.includes(`/${REBUILT_PART}`))) return [];
  const ofItems = counts.put + counts.skipped + counts.failed;
  const others = parts.reduce((sum, { records }) => sum + records, 0) - ofItems;
  const packs = Math.max(0, Math.ceil(others / MAX_PART_RECORDS));
  return Array.from({ length: packs }, (_, number) => packName(mailboxKey, id, RECORDS_CHUNK, number));
};

/** How the names of parts begin that a rebuild writes. */
export const REBUILT_PART = "rebuilt-";

export const isRecordPack = (pack: PackName): boolean => {
  const parsed = parseVaultName(pack);
  return parsed?.kind === "pack" && parsed.chunk === RECORDS_CHUNK;
};
