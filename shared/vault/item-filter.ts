import type { ItemQuery } from "../contracts/item-query.ts";
import type { PutRecord } from "./records.ts";

/** When an item came: received, or created if it never was. In milliseconds. */
export const itemTime = ({ received, created }: Pick<PutRecord, "received" | "created">): number =>
  Date.parse(received ?? created);

/**
 * Whether an item passes; `folderId` stands for the folder that the filter names. An item of which the catalogue does not
 * know whether it has attachments counts as one without.
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
    if (!item.type.toLowerCase().startsWith(messageClass)) return false;
    const time = itemTime(item);
    if (time < begin || time >= end) return false;
    if (hasAttachments !== undefined && (item.hasAttachments ?? false) !== hasAttachments) return false;
    return text === undefined || [item.subject, item.from].some((field) => field?.toLowerCase().includes(text));
  };
};
