import type { Blobs } from "../../shared/storage/blobs.ts";
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

/** The records by which a snapshot tells of lost items that nothing has happened to in its run. */
export const lostRecords = async (
  vault: Blobs,
  lost: readonly PlannedItem[],
  { parts, removed }: { readonly parts: readonly PartRef[]; readonly removed: readonly ItemKey[] },
): Promise<CatalogueRecord[]> => {
  const items = new Map(lost.map((item) => [itemKey(item), item]));
  for (const item of removed) items.delete(itemKey(item));
  if (items.size > 0)
    for (const part of parts)
      for await (const record of readPart(vault, part))
        if ("id" in record && "folderId" in record) items.delete(itemKey(record));
  return [...items.values()].flatMap(({ refused, ...facts }) =>
    refused === undefined
      ? []
      : [{ v: 1, op: "skip", ...facts, ...refused, reason: skipReason(refused.code) ?? "unknown" }],
  );
};

interface ItemKey {
  readonly id: string;
  readonly folderId: string;
}

const itemKey = ({ folderId, id }: ItemKey): string => `${folderId}\n${id}`;
