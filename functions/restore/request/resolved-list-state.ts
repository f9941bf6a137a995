import * as z from "zod";
import { RestoreRequested } from "../../../shared/audit/audit-log.ts";
import type { RunId } from "../../../shared/contracts/ids.ts";
import { type Blobs, readJson, required } from "../../../shared/storage/blobs.ts";
import { createOnce } from "../../../shared/storage/create-once.ts";
import { Priority } from "../restore.contract.ts";
import { ListedRestore } from "../restore-list.contract.ts";

const Count = z.int().nonnegative();

/** The problem of a restore that cannot start, and its position in the list, counted from 0. */
export const RefusedRestore = z.looseObject({
  position: Count,
  type: z.string(),
  title: z.string(),
  status: z.int(),
  detail: z.string(),
});
export type RefusedRestore = z.output<typeof RefusedRestore>;

/** A restore that can start: its orchestrator's input, and what the audit log says of it. */
const StartableRestore = z.object({
  position: Count,
  priority: Priority,
  listed: ListedRestore,
  audited: RestoreRequested.omit({ at: true, principal: true, job: true, list: true, dryRun: true, reason: true }),
  /** Equal for restores that do the same. */
  sum: z.string(),
});
export type StartableRestore = z.output<typeof StartableRestore>;

/** What was found of the restores from a position on; `next` is the first one that is left. */
const ResolvedPage = z.object({
  next: Count,
  startable: z.array(StartableRestore),
  refused: z.array(RefusedRestore),
});
export type ResolvedPage = z.output<typeof ResolvedPage>;

const Refused = z.array(RefusedRestore).min(1);

const pageName = (listId: RunId, from: number): string =>
  `restores-${listId}/resolved/r${String(from).padStart(6, "0")}.json`;
const refusedName = (listId: RunId): string => `restores-${listId}/refused.json`;

export const findResolved = (work: Blobs, listId: RunId, from: number): Promise<ResolvedPage | undefined> =>
  readJson(work, pageName(listId, from), ResolvedPage);

/** Keeps what was found, unless another delivery did; returns what stands. */
export const keepResolved = (work: Blobs, listId: RunId, from: number, page: ResolvedPage): Promise<ResolvedPage> =>
  createOnce(work, pageName(listId, from), ResolvedPage, page);

/** What was found of all restores of a list. @throws {Error} when something is missing. */
export const readAllResolved = async (work: Blobs, listId: RunId, restores: number): Promise<ResolvedPage> => {
  const all: ResolvedPage = { next: 0, startable: [], refused: [] };
  while (all.next < restores) {
    const from = all.next;
    const page = required(await findResolved(work, listId, from), `List ${listId} was not resolved from ${from}`);
    all.next = page.next;
    all.startable.push(...page.startable);
    all.refused.push(...page.refused);
  }
  return all;
};

/** Keeps why a list is refused, unless another delivery did; returns what stands. */
export const keepRefused = (work: Blobs, listId: RunId, refused: RefusedRestore[]): Promise<RefusedRestore[]> =>
  createOnce(work, refusedName(listId), Refused, refused);

export const findRefused = (work: Blobs, listId: RunId): Promise<RefusedRestore[] | undefined> =>
  readJson(work, refusedName(listId), Refused);
