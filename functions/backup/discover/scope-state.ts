import * as z from "zod";
import { MailboxKey, RunId } from "../../../shared/contracts/ids.ts";
import { type Blobs, jsonBytes, readJson, updateJson } from "../../../shared/storage/blobs.ts";
import { LeftOutReason } from "./left-out.contract.ts";

/** The mailboxes to back up: by key, with the id of their user. */
export type Scope = ReadonlyMap<MailboxKey, string>;

const Page = z.array(z.object({ key: MailboxKey, userId: z.string().min(1) }));
const LeftOut = z.record(z.string(), z.int().nonnegative());
const Newest = z.object({ run: RunId });

const PREFIX = "scope/";
const NEWEST = `${PREFIX}newest.json`;
const LEFT_OUT_PREFIX = `${PREFIX}left-out/`;
const pagesPrefix = (run: RunId): string => `${PREFIX}${run}/`;
const leftOutPrefix = (run: RunId): string => `${LEFT_OUT_PREFIX}${run}/`;
const pageName = (page: number): string => `${String(page).padStart(6, "0")}.json`;

/** Keeps one page of the mailboxes that a discovery found; the first delivery of a page wins. */
export const keepScopePage = async (
  state: Blobs,
  run: RunId,
  page: number,
  mailboxes: readonly { readonly key: MailboxKey; readonly userId: string }[],
): Promise<void> => {
  const entries = mailboxes.map(({ key, userId }) => ({ key, userId }));
  await state.create(`${pagesPrefix(run)}${pageName(page)}`, jsonBytes(entries));
};

/** Keeps how many users one page of a discovery left out, by reason; the first delivery of a page wins. */
export const keepLeftOut = async (
  state: Blobs,
  run: RunId,
  page: number,
  counts: Readonly<Partial<Record<LeftOutReason, number>>>,
): Promise<void> => {
  await state.create(`${leftOutPrefix(run)}${pageName(page)}`, jsonBytes(counts));
};

/** Makes the pages of a run the scope, once all are kept, and removes those of earlier runs. A newer scope stays. */
export const closeScope = async (state: Blobs, run: RunId): Promise<void> => {
  const newest = await updateJson(state, NEWEST, Newest, (current) =>
    current !== undefined && current.run > run ? current : { run },
  );
  for await (const { name } of state.list(PREFIX)) {
    const first = name.startsWith(LEFT_OUT_PREFIX) ? leftOutPrefix(newest.run) : pagesPrefix(newest.run);
    if (name !== NEWEST && name < first) await state.remove(name);
  }
};

/** The scope that the newest complete discovery found; `undefined` before the first one. */
export const readScope = (state: Blobs): Promise<Scope | undefined> =>
  ofNewest(state, async (run) => {
    const scope = new Map<MailboxKey, string>();
    for await (const { name } of state.list(pagesPrefix(run)))
      for (const { key, userId } of (await readJson(state, name, Page)) ?? []) scope.set(key, userId);
    return scope;
  });

/** How many users the newest complete discovery left out, by reason; `undefined` before the first one. */
export const readLeftOut = (state: Blobs): Promise<Record<LeftOutReason, number> | undefined> =>
  ofNewest(state, async (run) => {
    const sums = Object.fromEntries(LeftOutReason.options.map((reason) => [reason, 0])) as Record<
      LeftOutReason,
      number
    >;
    for await (const { name } of state.list(leftOutPrefix(run))) {
      const counts = (await readJson(state, name, LeftOut)) ?? {};
      for (const reason of LeftOutReason.options) sums[reason] += counts[reason] ?? 0;
    }
    return sums;
  });

/**
 * Reads what the newest complete discovery kept. When pages are removed while they are read, a newer one has replaced
 * theirs, and is read instead.
 */
const ofNewest = async <T>(state: Blobs, read: (run: RunId) => Promise<T>): Promise<T | undefined> => {
  let newest = await readJson(state, NEWEST, Newest);
  while (newest !== undefined) {
    const found = await read(newest.run);
    const now = await readJson(state, NEWEST, Newest);
    if (now?.run === newest.run) return found;
    newest = now;
  }
  return undefined;
};
