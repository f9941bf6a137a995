import * as z from "zod";

/**
 * The formats of Exchange's ids. Source: exchangeIdFormat,
 * learn.microsoft.com/graph/api/user-translateexchangeids (2026-08).
 */
export const ExchangeIdFormat = z.enum(["entryId", "ewsId", "immutableEntryId", "restId", "restImmutableEntryId"]);
export type ExchangeIdFormat = z.output<typeof ExchangeIdFormat>;

/** The formats of a translation. */
export const IdFormats = z.object({ from: ExchangeIdFormat, to: ExchangeIdFormat });
export type IdFormats = z.output<typeof IdFormats>;

/** Why Graph refuses to translate any id of a mailbox. */
export const Refusal = z.enum(["permission", "user"]);
export type Refusal = z.output<typeof Refusal>;
