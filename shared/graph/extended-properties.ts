import * as z from "zod";
import { utcTime } from "./utc-time.ts";

/** MAPI properties that listings return on request. Source: use seen in production; tags from MS-OXPROPS. */
const PROPERTIES = {
  subject: "String 0x0037",
  received: "SystemTime 0x0E06",
  senderName: "String 0x0C1A",
  senderAddress: "String 0x5D01",
  hasAttachments: "Boolean 0x0E1B",
  searchKey: "Binary 0x300B",
  internetMessageId: "String 0x1035",
} as const;

const filter = Object.values(PROPERTIES)
  .map((id) => `id eq '${id}'`)
  .join(" or ");

/** The `$expand` of a listing of items. */
export const ITEM_EXPAND = `singleValueExtendedProperties($filter=${filter})`;

/** PidTagFolderType. Source: MS-OXPROPS; use of it seen with this API. */
const FOLDER_TYPE = "Integer 0x3601";

/** FOLDER_SEARCH: what is in such a folder are links to items of other folders. Source: MS-OXCFOLD. */
const SEARCH_FOLDER = "2";

/** The `$expand` of folders. */
export const FOLDER_EXPAND = `singleValueExtendedProperties($filter=id eq '${FOLDER_TYPE}')`;

/** An extended property as Graph returns it. Ids are normalised (`String 0x37`), so tags are compared as numbers. */
export const ExtendedProperty = z.looseObject({ id: z.string(), value: z.string().nullish() });
export type ExtendedProperty = z.output<typeof ExtendedProperty>;

const tagOf = (id: string): number => Number.parseInt(id.split(" ")[1] ?? "", 16);

const propertyValue = (properties: readonly ExtendedProperty[], id: string): string | undefined =>
  properties.find((property) => tagOf(property.id) === tagOf(id))?.value ?? undefined;

export const SEARCH_FOLDER_PROPERTIES: readonly ExtendedProperty[] = [{ id: FOLDER_TYPE, value: SEARCH_FOLDER }];

export const isSearchFolder = (properties: readonly ExtendedProperty[]): boolean =>
  propertyValue(properties, FOLDER_TYPE) === SEARCH_FOLDER;

/** What a listing adds to an item's resource. The search key is base64, as Graph returns it. */
export interface Enrichment {
  readonly subject?: string;
  readonly from?: string;
  readonly received?: string;
  readonly internetMessageId?: string;
  readonly hasAttachments?: boolean;
  readonly searchKey?: string;
}

/** Reads the properties that are present. A time that does not parse is left out: no enrichment ever fails a run. */
export const readEnrichment = (properties: readonly ExtendedProperty[]): Enrichment => {
  const subject = propertyValue(properties, PROPERTIES.subject);
  const from = propertyValue(properties, PROPERTIES.senderAddress) ?? propertyValue(properties, PROPERTIES.senderName);
  const received = utcTime(propertyValue(properties, PROPERTIES.received) ?? "");
  const internetMessageId = propertyValue(properties, PROPERTIES.internetMessageId);
  const hasAttachments = propertyValue(properties, PROPERTIES.hasAttachments);
  const searchKey = propertyValue(properties, PROPERTIES.searchKey);
  return {
    ...(subject === undefined ? {} : { subject }),
    ...(from === undefined ? {} : { from }),
    ...(received === undefined ? {} : { received }),
    ...(internetMessageId === undefined ? {} : { internetMessageId }),
    ...(hasAttachments === undefined ? {} : { hasAttachments: hasAttachments.toLowerCase() === "true" }),
    ...(searchKey === undefined ? {} : { searchKey }),
  };
};
