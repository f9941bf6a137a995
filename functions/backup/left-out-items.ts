import type { Blobs } from "../../shared/storage/blobs.ts";
import { type ItemKey, itemKey } from "../../shared/vault/item-key.ts";
import type { Manifest, PartRef } from "../../shared/vault/manifest.ts";
import { readPart } from "../../shared/vault/part-reader.ts";
import { type CatalogueRecord, ItemFacts } from "../../shared/vault/records.ts";
import { skipReason } from "./export/skip-reasons.ts";
import type { PlannedItem } from "./run-state.ts";

/**
 * An item that a snapshot left out. One that is `failed` makes the snapshot partial, and the next run asks for it
 * again, as for one that is to be asked for `again`. One that is `lost` is not asked for in the same version.
 */
export interface LeftOutItem extends Omit<PlannedItem, "refused"> {
  readonly refused: NonNullable<PlannedItem["refused"]>;
  readonly end: "failed" | "again" | "lost";
}

/**
 * The items that a snapshot left out. Its own parts name all of them. One that was stored or removed later in the same
 * run is not left out.
 */
export const leftOutItems = async (
  vault: Blobs,
  { v, parts, counts, finished }: Pick<Manifest, "v" | "parts" | "counts" | "finished">,
): Promise<LeftOutItem[]> => {
  if (counts.failed + counts.skipped === 0) return [];
  const items = new Map<string, LeftOutItem>();
  for (const part of parts) {
    // What comes after the first item that was left out may have stored or removed it.
    if (v === 2 && !part.leftOut && items.size === 0) continue;
    for await (const record of readPart(vault, part)) {
      if (record.op === "folder" || record.op === "problem") continue;
      if (record.op !== "skip" && record.op !== "fail") {
        items.delete(itemKey(record));
        continue;
      }
      const { code, since = finished } = record;
      const end = record.op === "fail" ? "failed" : record.again ? "again" : "lost";
      items.set(itemKey(record), { ...ItemFacts.parse({ changeKey: "", ...record }), refused: { code, since }, end });
    }
  }
  return [...items.values()];
};

/** The items of which some parts have no record. Reads none of them for no items. */
export const withoutRecord = async (
  vault: Blobs,
  items: readonly PlannedItem[],
  parts: readonly PartRef[],
): Promise<PlannedItem[]> => {
  const left = new Map(items.map((item) => [itemKey(item), item]));
  for (const part of left.size === 0 ? [] : parts)
    for await (const record of readPart(vault, part))
      if (record.op !== "folder" && record.op !== "problem") left.delete(itemKey(record));
  return [...left.values()];
};

/** The records by which a snapshot tells of lost items that nothing has happened to in its run. */
export const lostRecords = async (
  vault: Blobs,
  lost: readonly PlannedItem[],
  { parts, removed }: { readonly parts: readonly PartRef[]; readonly removed: readonly ItemKey[] },
): Promise<CatalogueRecord[]> => {
  const gone = new Set(removed.map(itemKey));
  const left = lost.filter((item) => !gone.has(itemKey(item)));
  return (await withoutRecord(vault, left, parts)).flatMap(({ refused, ...facts }) =>
    refused === undefined
      ? []
      : [{ v: 1, op: "skip", ...facts, ...refused, reason: skipReason(refused.code) ?? "unknown" }],
  );
};
