import { badRequest } from "./errors.ts";
import type { FolderState } from "./state/folder-state.ts";
import type { ItemRecord } from "./state/records.ts";

type ValueOf<T> = (subject: T) => string | undefined;

export interface ExtendedProperty {
  readonly id: string;
  readonly value: string;
}

const senderName = (from: string | undefined) => from?.replace(/\s*<[^>]*>$/, "") || undefined;
const senderAddress = (from: string | undefined) => /<([^>]*)>$/.exec(from ?? "")?.[1] ?? from;

/** MAPI properties of an item by their tag. @doc Names and tags: MS-OXPROPS. */
const ITEM_PROPERTIES: Readonly<Record<string, ValueOf<ItemRecord>>> = {
  "string 0x37": (item) => item.properties.subject,
  "string 0x1a": (item) => item.properties.type,
  "systemtime 0xe06": (item) => item.properties.received && seconds(item.properties.received),
  "string 0xc1a": (item) => senderName(item.properties.from),
  "string 0x5d01": (item) => senderAddress(item.properties.from),
  "boolean 0xe1b": (item) => String(item.properties.hasAttachments),
  "binary 0x300b": (item) => Buffer.from(item.properties.searchKey, "hex").toString("base64"),
  "string 0x1035": (item) => item.properties.internetMessageId,
  "systemtime 0x3007": (item) => seconds(item.created),
  "systemtime 0x3008": (item) => seconds(item.modified),
};

const FOLDER_PROPERTIES: Readonly<Record<string, ValueOf<FolderState>>> = {
  "boolean 0x10f4": (folder) => (folder.hidden ? "true" : undefined),
  "string 0x3001": (folder) => folder.displayName,
  "integer 0x3601": (folder) => (folder.search ? "2" : "1"),
};

/** @doc Samples show times without fractions. */
export const seconds = (iso: string): string => `${iso.slice(0, 19)}Z`;

export const itemProperties = (expand: string | null) => expander(expand, ITEM_PROPERTIES);
export const folderProperties = (expand: string | null) => expander(expand, FOLDER_PROPERTIES);

/**
 * Reads `singleValueExtendedProperties($filter=id eq 'String 0x0037' or ...)` and yields a function that finds those
 * properties. A property the subject lacks is left out. @observed Ids come back without leading zeros, hex in lower
 * case.
 */
const expander = <T>(
  expand: string | null,
  known: Readonly<Record<string, ValueOf<T>>>,
): ((subject: T) => ExtendedProperty[]) | undefined => {
  if (expand === null) return undefined;
  const [, filter] = /^\s*singleValueExtendedProperties\(\s*\$filter=(.+)\)\s*$/i.exec(expand) ?? [];
  if (filter === undefined) throw badRequest(`The expression '${expand}' in $expand is not supported.`, "BadRequest");

  const wanted = filter.split(/\s+or\s+/i).map((clause) => {
    const [, type, tag] = /^\s*\(?\s*id\s+eq\s+'([A-Za-z]+) 0x([0-9A-Fa-f]+)'\s*\)?\s*$/.exec(clause) ?? [];
    if (type === undefined || tag === undefined) {
      throw badRequest(`Invalid extended property clause: ${clause}`, "BadRequest");
    }
    return `${type} 0x${Number.parseInt(tag, 16).toString(16)}`;
  });
  return (subject) =>
    wanted.flatMap((id) => {
      const value = known[id.toLowerCase()]?.(subject);
      return value === undefined ? [] : [{ id, value }];
    });
};
