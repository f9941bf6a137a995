import { createHash } from "node:crypto";
import type { ItemFacts } from "../../../shared/vault/records.ts";

/** Bytes of a key: no two of a million items share one by chance. */
const KEY_BYTES = 9;

/** Keys are short and of one length, whatever they stand for. */
const hashOf = (text: string): string =>
  createHash("sha256").update(text).digest().subarray(0, KEY_BYTES).toString("base64url");

/**
 * The key of an item in a folder: copies of an item share their search key, and so this one (MS-OXCPRPT 2.2.1.9). An
 * item without a search key has one of its own.
 */
export const copyKey = (folderKey: string, { id, searchKey }: Pick<ItemFacts, "id" | "searchKey">): string =>
  hashOf(searchKey === undefined ? `${folderKey}\n\n${id}` : `${folderKey}\n${searchKey}`);

/** The key of a message in a folder, by internet message id and time of receipt; `undefined` for what has neither. */
export const messageKey = (
  folderKey: string,
  { internetMessageId, received }: Pick<ItemFacts, "internetMessageId" | "received">,
): string | undefined =>
  internetMessageId && received ? hashOf(`${folderKey}\n${Date.parse(received)}\n${internetMessageId}`) : undefined;

/** The key of a live item. */
export const idKey = (id: string): string => hashOf(id);
