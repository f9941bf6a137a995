import * as z from "zod";
import type { RunId } from "../../../shared/contracts/ids.ts";
import { MailboxRef } from "../../../shared/contracts/mailbox.ts";
import { type Blobs, readJson } from "../../../shared/storage/blobs.ts";
import { createOnce } from "../../../shared/storage/create-once.ts";
import { keepFurthest } from "../../../shared/storage/furthest.ts";
import { takePosition } from "../../../shared/storage/queue-position.ts";
import { BackupTurn } from "../backup-in-turn.contract.ts";

const Page = z.array(MailboxRef);

const pagesPrefix = (run: RunId): string => `${run}/mailboxes/`;
const turnsName = (run: RunId): string => `${run}/turns.json`;
const placeName = (run: RunId, place: number): string => `${run}/places/${place}.json`;
const number = (value: number): string => String(value).padStart(6, "0");

/** Keeps what a place of the window has come to. A turn that is kept again after a later one changes nothing. */
export const keepPlace = async (work: Blobs, run: RunId, place: number, own: BackupTurn): Promise<void> => {
  await keepFurthest(work, placeName(run, place), BackupTurn, own);
};

export const findPlace = (work: Blobs, run: RunId, place: number): Promise<BackupTurn | undefined> =>
  readJson(work, placeName(run, place), BackupTurn);

/** A page of the directory, and the position of its first mailbox in the queue. */
export interface PagePosition {
  readonly page: number;
  readonly start: number;
}

/** Adds a page to the queue of a run. Returns the page that was added first, by this delivery or another one. */
export const addMailboxes = (
  work: Blobs,
  run: RunId,
  { page, start }: PagePosition,
  mailboxes: readonly MailboxRef[],
): Promise<MailboxRef[]> =>
  createOnce(work, `${pagesPrefix(run)}${number(page)}-${number(start)}.json`, Page, [...mailboxes]);

/** The mailbox for a consumer's turn; one turn always gets the same mailbox. `undefined` when all are taken. */
export const takeMailbox = async (
  work: Blobs,
  run: RunId,
  consumer: number,
  turn: number,
): Promise<MailboxRef | undefined> => mailboxAt(work, run, await takePosition(work, turnsName(run), consumer, turn));

const mailboxAt = async (work: Blobs, run: RunId, index: number): Promise<MailboxRef | undefined> => {
  let page: { readonly name: string; readonly start: number } | undefined;
  for await (const { name } of work.list(pagesPrefix(run))) {
    const start = Number.parseInt(name.slice(pagesPrefix(run).length).split("-")[1] ?? "", 10);
    if (start <= index) page = { name, start };
  }
  return page && (await readJson(work, page.name, Page))?.[index - page.start];
};
