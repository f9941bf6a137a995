import type { ExchangeIdFormat } from "../../shared/contracts/id-formats.ts";

/**
 * The binary form of an entry id: base64 with `-` for `+` and `_` for `/`, and the length of its padding as a digit in
 * place of the padding. Source: learn.microsoft.com/graph/api/user-translateexchangeids (2026-08).
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
 * The REST id of an EWS id; a REST id stays as it is. The two differ in two characters, and not in those of the binary
 * form. Source: Office.js, Mailbox.convertToRestId: `/` becomes `-`, and `+` becomes `_`.
 */
export const toRestId = (id: string): string => id.replaceAll("/", "-").replaceAll("+", "_");

/** The EWS id of a REST id: the same replacements in reverse. */
export const toEwsId = (id: string): string => id.replaceAll("-", "/").replaceAll("_", "+");

/** How ids of a format are encoded. */
export type IdShape = "binary" | "ews" | "rest";

const SHAPES: Readonly<Record<ExchangeIdFormat, IdShape>> = {
  entryId: "binary",
  ewsId: "ews",
  immutableEntryId: "binary",
  restId: "rest",
  restImmutableEntryId: "rest",
};

export const shapeOf = (format: ExchangeIdFormat): IdShape => SHAPES[format];

/** Whether a text can be an id of a shape. One that cannot is refused without asking Graph. */
export const isShaped = (shape: IdShape, id: string): boolean => {
  if (shape === "binary") return fromBinaryForm(id) !== undefined;
  return id.length % 4 === 0 && (shape === "ews" ? /^[A-Za-z0-9+/]+={0,2}$/ : /^[A-Za-z0-9_-]+={0,2}$/).test(id);
};

/** Bytes of the entry id of a message, and of its flags, which are 0. Source: MS-OXCDATA 2.2.4.2. */
const MESSAGE_ENTRY_BYTES = 70;
const ENTRY_FLAGS = Buffer.alloc(4);

/**
 * Guesses the format of an id by its shape. The entry id of a message is known by its length and beginning. `undefined`
 * for another binary form, which may be either kind of entry id. Anything else counts as a REST or EWS id; a text in
 * the binary form is one only when its length is a multiple of four.
 */
export const guessFormat = (id: string): "restId" | "entryId" | undefined => {
  const bytes = id.length % 4 === 0 ? undefined : fromBinaryForm(id);
  if (bytes === undefined) return "restId";
  const isMessage = bytes.length === MESSAGE_ENTRY_BYTES && bytes.subarray(0, ENTRY_FLAGS.length).equals(ENTRY_FLAGS);
  return isMessage ? "entryId" : undefined;
};
