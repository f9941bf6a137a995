import type { ItemQuery } from "../contracts/item-query.ts";
import type { PutRecord } from "./records.ts";

/** When an item was received, or created if it was never received; `undefined` where neither is known. ISO 8601. */
export const itemTime = ({ received, created }: Pick<PutRecord, "received" | "created">): string | undefined =>
  received ?? created;

/**
 * Whether an item passes the filter; `folderId` is the id of the folder that the filter names. An item whose time or
 * type is unknown passes, so that no restore loses it. One counts as without attachments when that is unknown.
 */
export const itemFilter = (
  { q, from, to, type = "", hasAttachments }: Pick<ItemQuery, "q" | "from" | "to" | "type" | "hasAttachments">,
  folderId: string | undefined,
): ((item: PutRecord) => boolean) => {
  const text = q?.toLowerCase();
  const messageClass = type.toLowerCase();
  const begin = from === undefined ? Number.NEGATIVE_INFINITY : Date.parse(from);
  const end = to === undefined ? Number.POSITIVE_INFINITY : Date.parse(to);

  return (item) => {
    if (folderId !== undefined && item.folderId !== folderId) return false;
    if (item.type !== undefined && !item.type.toLowerCase().startsWith(messageClass)) return false;
    const time = Date.parse(itemTime(item) ?? "");
    if (time < begin || time >= end) return false;
    if (hasAttachments !== undefined && (item.hasAttachments ?? false) !== hasAttachments) return false;
    return text === undefined || [item.subject, item.from].some((field) => field?.toLowerCase().includes(text));
  };
};
