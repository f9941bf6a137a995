import type { LiveItem } from "../../shared/graph/items.ts";
import type { PutRecord } from "../../shared/vault/records.ts";
import type { RestoreItem } from "../restore/restore-state.ts";
import { sourceMailbox } from "./rehearsal-plan.ts";

/** An item of a sample that did not come back as it was; without `fields` it is missing. */
export interface SampleDifference {
  readonly mailbox: string;
  readonly item: string;
  readonly fields?: string[];
}

/**
 * The fields of the catalogue that an import keeps. Size, change key and time of creation change, as a mailbox copy
 * product found in production.
 */
const KEPT = ["searchKey", "type", "subject", "from", "received", "internetMessageId", "hasAttachments"] as const;

/** Compares each item of a sample with its imported copy; `imported` maps an item's position to the copy's id. */
export const compareSample = (
  items: readonly RestoreItem[],
  imported: ReadonlyMap<number, string>,
  live: ReadonlyMap<string, LiveItem>,
) => {
  const counts = { items: items.length, same: 0, different: 0, missing: 0, extra: 0 };
  const differences: SampleDifference[] = [];
  const matched = new Set<string>();
  for (const [position, record] of items.entries()) {
    const item = { mailbox: sourceMailbox(record), item: record.id };
    const copy = live.get(imported.get(position) ?? "");
    if (copy === undefined) {
      counts.missing += 1;
      differences.push(item);
      continue;
    }
    matched.add(copy.id);
    const fields = KEPT.filter((field) => record[field] !== undefined && !isSame(field, record, copy));
    counts[fields.length === 0 ? "same" : "different"] += 1;
    if (fields.length > 0) differences.push({ ...item, fields });
  }
  counts.extra = live.size - matched.size;
  return { counts, differences };
};

const isSame = (field: (typeof KEPT)[number], record: PutRecord, copy: LiveItem): boolean =>
  field === "received"
    ? Date.parse(record.received ?? "") === Date.parse(copy.received ?? "")
    : record[field] === copy[field];
