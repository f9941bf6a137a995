import { z } from "zod";
import { primaryMailbox } from "./directory.ts";
import { badRequest, GraphFailure } from "./errors.ts";
import { hashText } from "./generated-content.ts";
import { fromRestId, type ItemUid, toRestId } from "./ids.ts";
import type { MailboxState } from "./state/mailbox-state.ts";
import { contextUrl, type DirectoryCall, type Reply } from "./world.ts";

/** @doc exchangeIdFormat. */
const Format = z.enum(["entryId", "ewsId", "immutableEntryId", "restId", "restImmutableEntryId"]);
type Format = z.infer<typeof Format>;

const TranslateRequest = z.object({ inputids: z.array(z.string()), sourceidtype: Format, targetidtype: Format });

/** @doc Largest collection of ids. */
const MAX_IDS = 1000;

/** What an id names: an item as it was named at some time, an item for life, or a folder. */
type Named =
  | { readonly uid: ItemUid; readonly generation: number }
  | { readonly uid: ItemUid; readonly generation?: never }
  | { readonly tag: number };

interface ItemFailure {
  readonly code: string;
  readonly message: string;
}

/** @observed Both fields of the failure of plain base64 that is sent as an entry id: the code is free text. */
const RAW_BYTES = "Value cannot be null.\r\nParameter name: rawBytes";

/** @observed Its code. */
const NOT_FOUND: ItemFailure = { code: "NotFound", message: "The specified object was not found in the store." };

/** @guess */
const MALFORMED: ItemFailure = { code: "ErrorInvalidIdMalformed", message: "Id is malformed." };

/**
 * POST /users/{user}/translateExchangeIds: all ids of one mailbox and one format. There is none below `/me`, since a
 * signed-in user's token names no user here.
 *
 * @doc Formats, limit, failures item by item inside 200, `targetId` absent on failure and `errorDetails` on success.
 * @guess The status of a request that is refused whole; that an id must name what is there now.
 */
export const translateExchangeIds = async (call: DirectoryCall): Promise<Reply> => {
  const { behaviours } = call.world.settings();
  if (!call.delegated && !behaviours.translateAppOnly) throw accessDenied();
  const { state } = primaryMailbox(call);
  const { inputids, sourceidtype, targetidtype } = await readRequest(call);
  const results = inputids.map((sourceId) => {
    const outcome = translate(state, sourceId, sourceidtype, targetidtype, behaviours.immutableIdsSince);
    return typeof outcome === "string" ? { sourceId, targetId: outcome } : { sourceId, errorDetails: outcome };
  });
  const value = behaviours.translationsShuffled ? shuffled(results) : results;
  return {
    status: 200,
    json: { "@odata.context": contextUrl(call, "Collection(microsoft.graph.convertIdResult)"), value },
  };
};

const shuffled = <T extends { readonly sourceId: string }>(results: readonly T[]): T[] =>
  results
    .map((result) => ({ result, at: hashText(result.sourceId) }))
    .toSorted((a, b) => a.at - b.at)
    .map(({ result }) => result);

const accessDenied = () =>
  new GraphFailure(403, "ErrorAccessDenied", "Access is denied. Check credentials and try again.");

/** @doc Action parameters bind whatever their letter case. */
const readRequest = async (call: DirectoryCall) => {
  const body = z.record(z.string(), z.unknown()).safeParse(await call.request.json());
  const folded = Object.entries(body.data ?? {}).map(([name, value]) => [name.toLowerCase(), value]);
  const parsed = TranslateRequest.safeParse(Object.fromEntries(folded));
  if (!parsed.success) throw badRequest("inputIds, sourceIdType and targetIdType are required.");
  if (parsed.data.inputids.length > MAX_IDS) throw badRequest(`At most ${MAX_IDS} ids are allowed.`);
  return parsed.data;
};

const translate = (
  state: MailboxState,
  id: string,
  from: Format,
  to: Format,
  immutableIdsSince: string | undefined,
): string | ItemFailure => {
  const named = READERS[from](state, id);
  if (named === undefined) return NOT_FOUND;
  if ("code" in named) return named;
  if ("tag" in named) {
    const isThere = [...state.folders.values()].some(({ tag }) => tag === named.tag);
    return isThere ? WRITERS[to].folder(state, named.tag) : NOT_FOUND;
  }
  const item = state.itemByUid(named.uid);
  if (item === undefined || (named.generation ?? item.generation) !== item.generation) return NOT_FOUND;
  const isOld = immutableIdsSince !== undefined && item.created < immutableIdsSince;
  if (isOld && (to === "immutableEntryId" || to === "restImmutableEntryId")) return NOT_FOUND;
  return WRITERS[to].item(state, item, item.generation);
};

/** @guess The four bytes that a REST id has before an immutable entry id. */
const REST_IMMUTABLE_PREFIX = Buffer.from("0009002e", "hex");

/** What an id names; a failure for text that is no id of the format, and undefined for an id of another mailbox. */
const READERS: Readonly<Record<Format, (state: MailboxState, id: string) => Named | ItemFailure | undefined>> = {
  restId: ({ ids }, id) => (isRest(id) ? readRest(ids, id) : MALFORMED),
  ewsId: ({ ids }, id) => (isBase64(id) ? readRest(ids, toRestId(Buffer.from(id, "base64"))) : MALFORMED),
  entryId: ({ ids }, id) => {
    const entry = fromBinaryForm(id);
    if (entry === undefined) return { code: RAW_BYTES, message: RAW_BYTES };
    return ids.readItemEntry(entry) ?? folderNamed(ids.readFolderEntry(entry));
  },
  immutableEntryId: ({ ids }, id) => {
    const entry = fromBinaryForm(id);
    if (entry === undefined) return { code: RAW_BYTES, message: RAW_BYTES };
    return itemNamed(ids.readImmutableEntry(entry));
  },
  restImmutableEntryId: ({ ids }, id) => {
    if (!isRest(id)) return MALFORMED;
    const bytes = fromRestId(id);
    const isImmutable = bytes.subarray(0, REST_IMMUTABLE_PREFIX.length).equals(REST_IMMUTABLE_PREFIX);
    return isImmutable ? itemNamed(ids.readImmutableEntry(bytes.subarray(REST_IMMUTABLE_PREFIX.length))) : undefined;
  },
};

interface Writer {
  readonly item: (state: MailboxState, uid: ItemUid, generation: number) => string;
  readonly folder: (state: MailboxState, tag: number) => string | ItemFailure;
}

/** @observed Folders have no immutable id; @guess what is said of that. */
const noFolder = () => NOT_FOUND;

const WRITERS: Readonly<Record<Format, Writer>> = {
  restId: {
    item: ({ ids }, uid, generation) => ids.item(uid, generation),
    folder: ({ ids }, tag) => ids.folder(tag),
  },
  ewsId: {
    item: ({ ids }, uid, generation) => toEwsId(ids.item(uid, generation)),
    folder: ({ ids }, tag) => toEwsId(ids.folder(tag)),
  },
  entryId: {
    item: ({ ids }, uid, generation) => toBinaryForm(ids.itemEntry(uid, generation)),
    folder: ({ ids }, tag) => toBinaryForm(ids.folderEntry(tag)),
  },
  immutableEntryId: { item: ({ ids }, uid) => toBinaryForm(ids.immutableEntry(uid)), folder: noFolder },
  restImmutableEntryId: {
    item: ({ ids }, uid) => toRestId(Buffer.concat([REST_IMMUTABLE_PREFIX, ids.immutableEntry(uid)])),
    folder: noFolder,
  },
};

const readRest = (ids: MailboxState["ids"], id: string): Named | undefined =>
  ids.readItem(id) ?? folderNamed(ids.readFolder(id));

const folderNamed = (tag: number | undefined): Named | undefined => (tag === undefined ? undefined : { tag });
const itemNamed = (uid: ItemUid | undefined): Named | undefined => (uid === undefined ? undefined : { uid });

/** @observed An EWS id is the base64 of what a REST id says in its own alphabet. */
const toEwsId = (restId: string) => fromRestId(restId).toString("base64");

const isBase64 = (text: string) => text !== "" && Buffer.from(text, "base64").toString("base64") === text;
const isRest = (id: string) => id !== "" && toRestId(fromRestId(id)) === id;

/** @doc Base64 with `-` for `+` and `_` for `/`, without its padding, whose length is a digit at the end. */
const toBinaryForm = (bytes: Buffer): string => {
  const base64 = bytes.toString("base64").replaceAll("+", "-").replaceAll("/", "_");
  const padding = base64.length - base64.replaceAll("=", "").length;
  return `${base64.slice(0, base64.length - padding)}${padding}`;
};

const fromBinaryForm = (text: string): Buffer | undefined => {
  const bytes = Buffer.from(text.slice(0, -1).replaceAll("-", "+").replaceAll("_", "/"), "base64");
  return bytes.length > 0 && toBinaryForm(bytes) === text ? bytes : undefined;
};
