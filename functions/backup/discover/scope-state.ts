import * as z from "zod";
import { MailboxKey, RunId } from "../../../shared/contracts/ids.ts";
import { type Blobs, jsonBytes, readJson, updateJson } from "../../../shared/storage/blobs.ts";

/** The mailboxes to back up: by key, with the id of their user. */
export type Scope = ReadonlyMap<MailboxKey, string>;

const Page = z.array(z.object({ key: MailboxKey, userId: z.string().min(1) }));
const Newest = z.object({ run: RunId });

const PREFIX = "scope/";
const NEWEST = `${PREFIX}newest.json`;
const pagesPrefix = (run: RunId): string => `${PREFIX}${run}/`;

/** Keeps one page of the mailboxes that a discovery found; the first delivery of a page wins. */
export const keepScopePage = async (
  state: Blobs,
  run: RunId,
  page: number,
  mailboxes: readonly { readonly key: MailboxKey; readonly userId: string }[],
): Promise<void> => {
  const entries = mailboxes.map(({ key, userId }) => ({ key, userId }));
  await state.create(`${pagesPrefix(run)}${String(page).padStart(6, "0")}.json`, jsonBytes(entries));
};

/** Makes the pages of a run the scope, once all are kept, and removes those of earlier runs. A newer scope stays. */
export const closeScope = async (state: Blobs, run: RunId): Promise<void> => {
  const newest = await updateJson(state, NEWEST, Newest, (current) =>
    current !== undefined && current.run > run ? current : { run },
  );
  for await (const { name } of state.list(PREFIX))
    if (name !== NEWEST && name < pagesPrefix(newest.run)) await state.remove(name);
};

/**
 * The scope that the newest complete discovery found; `undefined` before the first one. When pages are removed while
 * they are read, a newer scope has replaced theirs, and is read instead.
 */
export const readScope = async (state: Blobs): Promise<Scope | undefined> => {
  let newest = await readJson(state, NEWEST, Newest);
  while (newest !== undefined) {
    const scope = new Map<MailboxKey, string>();
    for await (const { name } of state.list(pagesPrefix(newest.run)))
      for (const { key, userId } of (await readJson(state, name, Page)) ?? []) scope.set(key, userId);
    const now = await readJson(state, NEWEST, Newest);
    if (now?.run === newest.run) return scope;
    newest = now;
  }
  return undefined;
};
