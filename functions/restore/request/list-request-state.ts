import * as z from "zod";
import { mapBounded } from "../../../shared/bounded.ts";
import { RunId } from "../../../shared/contracts/ids.ts";
import { ROLES } from "../../../shared/security/principal.ts";
import { type Blobs, jsonBytes, readJson, required } from "../../../shared/storage/blobs.ts";
import { createAnew } from "../../../shared/storage/create-once.ts";
import { ListEntry } from "./restore-request.ts";

/** Restores in one blob. Our own choice. */
const PAGE = 50;

/** Blobs that are written at the same time. */
const WRITERS = 16;

/** A call for a list of restores: who made it, and what that caller may do. It never has a token. */
const ListCall = z.object({
  at: z.iso.datetime(),
  principal: z.guid(),
  /** The caller's roles that this app knows, as they were at the call. */
  roles: z.array(z.enum(ROLES)),
  dryRun: z.boolean(),
  reason: z.string(),
  /** Of the restores, in the order of the list. */
  restoreIds: z.array(RunId).min(1),
});
export type ListCall = z.output<typeof ListCall>;

/** A restore as it was asked for. */
const AskedRestore = z.object({
  restoreId: RunId,
  spec: ListEntry,
  /** The REST ids of the items, where only the caller's own token could translate them. */
  restIds: z.array(z.string()).optional(),
});
export type AskedRestore = z.output<typeof AskedRestore>;

const Page = z.array(AskedRestore);

const callName = (listId: RunId): string => `restores-${listId}/call.json`;
const pageName = (listId: RunId, page: number): string =>
  `restores-${listId}/asked/p${String(page).padStart(6, "0")}.json`;

/** Keeps what a list was asked for; made again, the first call stands. The call itself is written last. */
export const keepListCall = async (
  work: Blobs,
  listId: RunId,
  call: ListCall,
  restores: readonly AskedRestore[],
): Promise<void> => {
  const pages = Array.from({ length: Math.ceil(restores.length / PAGE) }, (_, page) => page);
  await mapBounded(pages, WRITERS, (page) =>
    createAnew(work, pageName(listId, page), jsonBytes(restores.slice(page * PAGE, (page + 1) * PAGE))),
  );
  await createAnew(work, callName(listId), jsonBytes(ListCall.parse(call)));
};

/** `undefined` for a list that does not exist any more, or was looked up before it began. */
export const findListCall = (work: Blobs, listId: RunId): Promise<ListCall | undefined> =>
  readJson(work, callName(listId), ListCall);

/** @throws {Error} when there is no such list any more. */
export const readListCall = async (work: Blobs, listId: RunId): Promise<ListCall> =>
  required(await findListCall(work, listId), `List ${listId} has no call`);

/** The restores from a position up to the end of its page. @throws {Error} when there is no such page any more. */
export const readAsked = async (work: Blobs, listId: RunId, from: number): Promise<AskedRestore[]> => {
  const page = await readJson(work, pageName(listId, Math.floor(from / PAGE)), Page);
  return required(page, `List ${listId} has no restores from ${from}`).slice(from % PAGE);
};
