import type { ExchangeIdFormat } from "../../shared/contracts/id-formats.ts";

/**
 * The binary form of an entry id: base64 with `-` for `+` and `_` for `/`, and a digit at the end for the padding that is
 * left out. Source: learn.microsoft.com/graph/api/user-translateexchangeids (2026-08).
 */
export const toBinaryForm = (bytes: Uint8Array): string => {
  const text = Buffer.from(bytes).toString("base64url");
  return `${text}${(4 - (text.length % 4)) % 4}`;
};

/** The bytes of an entry id in its binary form; `undefined` for any other text. */
export const fromBinaryForm = (id: string): Buffer | undefined => {
  const bytes = Buffer.from(id.slice(0, -1), "base64url");
  return bytes.length > 0 && toBinaryForm(bytes) === id ? bytes : undefined;
};

/**
 * The REST id of an EWS id, and a REST id as it is: the two are alike but for two characters, and those are not the pairs
 * of the binary form. Source: Office.js, Mailbox.convertToRestId: `/` becomes `-`, and `+` becomes `_`.
 */
export const toRestId = (id: string): string => id.replaceAll("/", "-").replaceAll("+", "_");

/** The EWS id of a REST id. Source: as above, the other way round. */
export const toEwsId = (id: string): string => id.replaceAll("-", "/").replaceAll("_", "+");

/** How ids of a format are written down. */
export type IdShape = "binary" | "ews" | "rest";

const SHAPES: Readonly<Record<ExchangeIdFormat, IdShape>> = {
  entryId: "binary",
  ewsId: "ews",
  immutableEntryId: "binary",
  restId: "rest",
  restImmutableEntryId: "rest",
};

export const shapeOf = (format: ExchangeIdFormat): IdShape => SHAPES[format];

/** Whether a text can be an id of that shape at all; one that cannot needs no asking. */
export const isShaped = (shape: IdShape, id: string): boolean => {
  if (shape === "binary") return fromBinaryForm(id) !== undefined;
  return id.length % 4 === 0 && (shape === "ews" ? /^[A-Za-z0-9+/]+={0,2}$/ : /^[A-Za-z0-9_-]+={0,2}$/).test(id);
};

/** Bytes of the entry id of a message, and of its flags, which are 0. Source: MS-OXCDATA 2.2.4.2. */
const MESSAGE_ENTRY_BYTES = 70;
const ENTRY_FLAGS = Buffer.alloc(4);

/**
 * The format of an id that nobody named, as far as its shape tells: a message's entry id is known by its length and
 * beginning. `undefined` for another binary form, which may be either kind of entry id. All else is taken for a REST or
 * EWS id, which a text in the binary form cannot be unless its length is a multiple of four.
 */
export const guessFormat = (id: string): "restId" | "entryId" | undefined => {
  const bytes = id.length % 4 === 0 ? undefined : fromBinaryForm(id);
  if (bytes === undefined) return "restId";
  const isMessage = bytes.length === MESSAGE_ENTRY_BYTES && bytes.subarray(0, ENTRY_FLAGS.length).equals(ENTRY_FLAGS);
  return isMessage ? "entryId" : undefined;
};
