import type { Blobs } from "../../shared/storage/blobs.ts";
import type { Manifest } from "../../shared/vault/manifest.ts";
import { readPart } from "../../shared/vault/part-reader.ts";
import { ItemFacts } from "../../shared/vault/records.ts";
import type { PlannedItem } from "./run-state.ts";

/** An item that a snapshot left out, and that the next run asks for again. */
export interface OpenItem extends PlannedItem {
  /** Whether it makes the snapshot partial. */
  readonly failed: boolean;
}

/**
 * The items that a snapshot left out and that the next run asks for again. The snapshot's own parts name all of them.
 * One that was stored or removed later in the same run is not left out.
 */
export const openItems = async (
  vault: Blobs,
  { parts, counts, finished }: Pick<Manifest, "parts" | "counts" | "finished">,
): Promise<OpenItem[]> => {
  if (counts.failed + (counts.again ?? 0) === 0) return [];
  const items = new Map<string, OpenItem>();
  for (const part of parts)
    for await (const record of readPart(vault, part)) {
      if (record.op === "folder" || record.op === "problem") continue;
      const key = `${record.folderId}\n${record.id}`;
      if (record.op === "fail" || (record.op === "skip" && record.again === true)) {
        const { code, since = finished } = record;
        const facts = ItemFacts.parse({ changeKey: "", ...record });
        items.set(key, { ...facts, refused: { code, since }, failed: record.op === "fail" });
      } else {
        items.delete(key);
      }
    }
  return [...items.values()];
};
