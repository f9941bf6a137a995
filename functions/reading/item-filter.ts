import * as z from "zod";
import type { PutRecord } from "../../shared/vault/records.ts";

/** A time, or a date, which then means its beginning in UTC. In milliseconds. */
const Moment = z
  .union([z.iso.datetime({ offset: true }), z.iso.date()], "Expected a time such as 2026-11-22T01:00:00Z, or a date")
  .transform((text) => Date.parse(text));

/** The parameters that say which items are wanted; all of them must hold. */
export const ItemFilter = z.strictObject({
  /** A folder by id, path or well-known name, without those below it. */
  folder: z.string().min(1).optional(),
  /** Text in the subject or the sender, in any case. */
  q: z.string().trim().min(1).max(200).optional(),
  /** The earliest time of receipt, or of creation for an item that was never received. */
  from: Moment.optional(),
  /** The end of that time: an item at this very moment is not wanted any more. */
  to: Moment.optional(),
  /** What the message class begins with, as in IPM.Appointment; in any case. */
  type: z.string().min(1).max(255).optional(),
});
export type ItemFilter = z.output<typeof ItemFilter>;

/** Whether an item passes; `folderId` stands for the folder that the filter names. */
export const itemFilter = (
  { q, from = Number.NEGATIVE_INFINITY, to = Number.POSITIVE_INFINITY, type = "" }: ItemFilter,
  folderId: string | undefined,
): ((item: PutRecord) => boolean) => {
  const text = q?.toLowerCase();
  const messageClass = type.toLowerCase();

  return (item) => {
    if (folderId !== undefined && item.folderId !== folderId) return false;
    if (!item.type.toLowerCase().startsWith(messageClass)) return false;
    const time = Date.parse(item.received ?? item.created);
    if (time < from || time >= to) return false;
    return text === undefined || [item.subject, item.from].some((field) => field?.toLowerCase().includes(text));
  };
};
