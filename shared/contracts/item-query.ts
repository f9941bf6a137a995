import * as z from "zod";

/** A time, or a date, which means its beginning in UTC. */
export const Moment = z.union(
  [z.iso.datetime({ offset: true }), z.iso.date()],
  "Expected a time such as 2026-11-22T01:00:00Z, or a date",
);

/** The parameters that select items; an item must match all of them. */
export const ItemFilter = z.strictObject({
  /** A folder by id, path or well-known name, without its subfolders. */
  folder: z.string().min(1).optional(),
  /** Text in the subject or the sender, in any case. */
  q: z.string().trim().min(1).max(200).optional(),
  /** The earliest time of receipt, or of creation for an item that was never received. */
  from: Moment.optional(),
  /** The end of that time, itself excluded. */
  to: Moment.optional(),
  /** The beginning of the message class, such as IPM.Appointment; in any case. */
  type: z.string().min(1).max(255).optional(),
});
export type ItemFilter = z.output<typeof ItemFilter>;

/** Whether `from` comes before `to`; true when one of them is missing. */
export const isSpan = ({ from, to }: Pick<ItemFilter, "from" | "to">): boolean =>
  from === undefined || to === undefined || Date.parse(from) < Date.parse(to);

export const NO_SPAN = { path: ["to"], error: "Expected a time after that of from" };

/** Which items to restore; an item must match all given fields. */
export const ItemQuery = ItemFilter.extend({
  hasAttachments: z.boolean().optional(),
  /** Only items that were removed after this moment. */
  removedSince: Moment.optional(),
})
  .refine(isSpan, NO_SPAN)
  .refine((query) => Object.values(query).some((field) => field !== undefined), "Expected at least one field");
export type ItemQuery = z.output<typeof ItemQuery>;
