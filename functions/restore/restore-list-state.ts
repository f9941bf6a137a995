import * as z from "zod";
import type { RunId } from "../../shared/contracts/ids.ts";
import { type Blobs, jsonBytes, readJson } from "../../shared/storage/blobs.ts";
import { keepFurthest } from "../../shared/storage/furthest.ts";
import { takePosition } from "../../shared/storage/queue-position.ts";
import { ListedRestore, type ListPosition, RestoreTurn } from "./restore-list.contract.ts";

/** The restores of a list, by the mailbox restored into. Restores into one mailbox run in this order, one by one. */
export const RestoreList = z.array(z.array(ListedRestore).min(1)).min(1);
export type RestoreList = z.output<typeof RestoreList>;

const listName = (listId: RunId): string => `restores-${listId}/list.json`;
const turnsName = (listId: RunId): string => `restores-${listId}/turns.json`;

const placeName = (listId: RunId, place: number): string => `restores-${listId}/places/${place}.json`;

/** Keeps what a place of the window has come to. A turn that is kept again after a later one changes nothing. */
export const keepPlace = async (work: Blobs, listId: RunId, place: number, own: RestoreTurn): Promise<void> => {
  await keepFurthest(work, placeName(listId, place), RestoreTurn, own);
};

export const findPlace = (work: Blobs, listId: RunId, place: number): Promise<RestoreTurn | undefined> =>
  readJson(work, placeName(listId, place), RestoreTurn);

export const keepRestoreList = async (work: Blobs, listId: RunId, list: RestoreList): Promise<void> => {
  await work.create(listName(listId), jsonBytes(list));
};

/** `undefined` when there is no such list, or it has expired. */
export const findRestoreList = (work: Blobs, listId: RunId): Promise<RestoreList | undefined> =>
  readJson(work, listName(listId), RestoreList);

/**
 * The restore of a list for one turn of a taker; the same turn always gets the same restore. It is the next one into
 * the mailbox that the taker is at, so that two restores into one mailbox never run at the same time, else the first
 * one into the next mailbox. `undefined` when all are taken.
 *
 * @throws {Error} when the list has expired.
 */
export const takeListed = async (
  work: Blobs,
  listId: RunId,
  { taker, turn, at }: { readonly taker: number; readonly turn: number; readonly at: ListPosition | undefined },
): Promise<{ restore: ListedRestore; at: ListPosition } | undefined> => {
  const list = await findRestoreList(work, listId);
  if (list === undefined) throw new Error(`List ${listId} does not exist any more: its scratch data has expired`);
  const within = at && { mailbox: at.mailbox, restore: at.restore + 1 };
  const next = within && list[within.mailbox]?.[within.restore];
  if (within && next) return { restore: next, at: within };
  const mailbox = await takePosition(work, turnsName(listId), taker, turn);
  const first = list[mailbox]?.[0];
  return first && { restore: first, at: { mailbox, restore: 0 } };
};
