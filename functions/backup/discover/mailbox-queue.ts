import * as z from "zod";
import type { RunId } from "../../../shared/contracts/ids.ts";
import { MailboxRef } from "../../../shared/contracts/mailbox.ts";
import { type Blobs, readJson } from "../../../shared/storage/blobs.ts";
import { createOnce } from "../../../shared/storage/create-once.ts";
import { takeTurn } from "../../../shared/storage/turns.ts";

const Page = z.array(MailboxRef);

const pagesPrefix = (run: RunId): string => `${run}/mailboxes/`;
const turnsName = (run: RunId): string => `${run}/turns.json`;
const number = (value: number): string => String(value).padStart(6, "0");

/** A page of the directory that was looked through, and the position in the queue of its first mailbox. */
export interface QueuePlace {
  readonly page: number;
  readonly start: number;
}

/** Adds a page to the queue of a run; gives what another delivery of the same page added before. */
export const addMailboxes = (
  work: Blobs,
  run: RunId,
  { page, start }: QueuePlace,
  mailboxes: readonly MailboxRef[],
): Promise<MailboxRef[]> =>
  createOnce(work, `${pagesPrefix(run)}${number(page)}-${number(start)}.json`, Page, [...mailboxes]);

/** The next mailbox of the queue for a taker's turn, the same whenever that is asked for; `undefined` when all are taken. */
export const takeMailbox = async (
  work: Blobs,
  run: RunId,
  taker: number,
  turn: number,
): Promise<MailboxRef | undefined> => mailboxAt(work, run, await takeTurn(work, turnsName(run), taker, turn));

const mailboxAt = async (work: Blobs, run: RunId, index: number): Promise<MailboxRef | undefined> => {
  let page: { readonly name: string; readonly start: number } | undefined;
  for await (const { name } of work.list(pagesPrefix(run))) {
    const start = Number.parseInt(name.slice(pagesPrefix(run).length).split("-")[1] ?? "", 10);
    if (start <= index) page = { name, start };
  }
  return page && (await readJson(work, page.name, Page))?.[index - page.start];
};
