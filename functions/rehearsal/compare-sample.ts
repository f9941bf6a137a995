import type { LiveItem } from "../../shared/graph/items.ts";
import type { PutRecord } from "../../shared/vault/records.ts";
import type { RestoreItem } from "../restore/restore-state.ts";
import { sourceOf } from "./rehearsal-plan.ts";

/** An item of a sample that did not come back as it was; without `fields` it is not there at all. */
export interface SampleDifference {
  readonly mailbox: string;
  readonly item: string;
  readonly fields?: string[];
}

/**
 * What an import keeps, as far as the catalogue knows it. Size, change key and time of creation are not among it: they are
 * others afterwards, as a mailbox copy product found in production.
 */
const KEPT = ["searchKey", "type", "subject", "from", "received", "internetMessageId", "hasAttachments"] as const;

/** Compares each item of a sample with the live one that was imported for it; `imported` is by the item's position. */
export const compareSample = (
  items: readonly RestoreItem[],
  imported: ReadonlyMap<number, string>,
  live: ReadonlyMap<string, LiveItem>,
) => {
  const counts = { items: items.length, same: 0, different: 0, missing: 0, extra: 0 };
  const differences: SampleDifference[] = [];
  const met = new Set<string>();
  for (const [position, record] of items.entries()) {
    const item = { mailbox: sourceOf(record), item: record.id };
    const copy = live.get(imported.get(position) ?? "");
    if (copy === undefined) {
      counts.missing += 1;
      differences.push(item);
      continue;
    }
    met.add(copy.id);
    const fields = KEPT.filter((field) => record[field] !== undefined && !isSame(field, record, copy));
    counts[fields.length === 0 ? "same" : "different"] += 1;
    if (fields.length > 0) differences.push({ ...item, fields });
  }
  counts.extra = live.size - met.size;
  return { counts, differences };
};

const isSame = (field: (typeof KEPT)[number], record: PutRecord, copy: LiveItem): boolean =>
  field === "received"
    ? Date.parse(record.received ?? "") === Date.parse(copy.received ?? "")
    : record[field] === copy[field];
