import * as z from "zod";
import type { RunId } from "../../../shared/contracts/ids.ts";
import { type Blobs, jsonBytes, readJson } from "../../../shared/storage/blobs.ts";
import { createOnce } from "../../../shared/storage/create-once.ts";
import { FolderOutcome } from "./undo.contract.ts";

const Count = z.int().nonnegative();

const prefix = (undoId: RunId): string => `undo-${undoId}/`;
const number = (n: number): string => String(n).padStart(6, "0");
const treeName = (undoId: RunId, survey: number): string => `${prefix(undoId)}survey-${survey}/folders.json`;
const pagesPrefix = (undoId: RunId, survey: number): string => `${prefix(undoId)}survey-${survey}/p`;
const pageName = (undoId: RunId, survey: number, page: number): string =>
  `${pagesPrefix(undoId, survey)}${number(page)}.json`;
const removalName = (undoId: RunId): string => `${prefix(undoId)}removal.json`;
const verdictName = (undoId: RunId): string => `${prefix(undoId)}folder.json`;
export const undoReportName = (undoId: RunId): string => `${prefix(undoId)}report.json`;

/** The name of the ledger of one chunk of the restore. */
export const undoLedgerName = (undoId: RunId, chunk: number): string =>
  `${prefix(undoId)}ledger/c${number(chunk)}.jsonl`;

/** The folder that a restore made for itself, with those below it, when a survey of it began. */
export const SurveyedTree = z.object({
  /** By Exchange's own clock. */
  at: z.iso.datetime(),
  /** Absent when the folder is not there, or lies in Deleted Items. */
  folderId: z.string().optional(),
  folders: z.array(z.object({ id: z.string(), items: Count })),
  /** Folders below it that the restore did not make. */
  strange: z.array(z.string()),
});
export type SurveyedTree = z.output<typeof SurveyedTree>;

/** A page of a survey: ids and versions of items, and where the next page begins; null after the last one. */
export const SurveyPage = z.object({
  /** When it was read, by this app's clock. */
  at: z.number(),
  items: z.array(z.tuple([z.string(), z.string()])),
  next: z.object({ folder: Count, link: z.string().optional() }).nullable(),
});
export type SurveyPage = z.output<typeof SurveyPage>;

/** What became of the folder, and why. */
export const FolderVerdict = z.object({
  outcome: FolderOutcome,
  folderId: z.string().optional(),
  displayName: z.string(),
  /** Items in it that the restore did not import, imported ones that were changed, and folders that it did not make. */
  strangeItems: Count,
  changedItems: Count,
  strangeFolders: Count,
  /** Whether it went on changing while it was looked at. */
  isChanging: z.boolean().optional(),
  /** Exchange's code, where it refused. */
  code: z.string().optional(),
  /** The first of those items and folders. */
  lookAt: z.array(z.string()),
  /** The survey that it goes by. */
  survey: Count,
});
export type FolderVerdict = z.output<typeof FolderVerdict>;

/** Of two deliveries, the first one's tree and pages stand. */
export const keepTree = (work: Blobs, undoId: RunId, survey: number, tree: SurveyedTree): Promise<SurveyedTree> =>
  createOnce(work, treeName(undoId, survey), SurveyedTree, tree);

export const findTree = (work: Blobs, undoId: RunId, survey: number): Promise<SurveyedTree | undefined> =>
  readJson(work, treeName(undoId, survey), SurveyedTree);

export const keepPage = (
  work: Blobs,
  undoId: RunId,
  { survey, page }: { readonly survey: number; readonly page: number },
  value: SurveyPage,
): Promise<SurveyPage> => createOnce(work, pageName(undoId, survey, page), SurveyPage, value);

/** The pages of a survey that are kept, in their order. */
export async function* surveyPages(work: Blobs, undoId: RunId, survey: number): AsyncGenerator<SurveyPage> {
  for (let page = 0; ; page += 1) {
    const found = await readJson(work, pageName(undoId, survey, page), SurveyPage);
    if (found === undefined) return;
    yield found;
  }
}

/** The number of pages of a survey that are kept, and the last of them. */
export const lastPage = async (
  work: Blobs,
  undoId: RunId,
  survey: number,
): Promise<{ readonly pages: number; readonly last: SurveyPage | undefined }> => {
  let pages = 0;
  for await (const _ of work.list(pagesPrefix(undoId, survey))) pages += 1;
  const last = pages === 0 ? undefined : await readJson(work, pageName(undoId, survey, pages - 1), SurveyPage);
  return { pages, last };
};

/** Notes that the folder is about to be deleted. */
export const noteRemoval = async (work: Blobs, undoId: RunId, folderId: string): Promise<void> => {
  await work.create(removalName(undoId), jsonBytes({ folderId }));
};

export const isRemovalNoted = async (work: Blobs, undoId: RunId): Promise<boolean> =>
  (await work.info(removalName(undoId))) !== undefined;

export const keepVerdict = (work: Blobs, undoId: RunId, verdict: FolderVerdict): Promise<FolderVerdict> =>
  createOnce(work, verdictName(undoId), FolderVerdict, verdict);

export const findVerdict = (work: Blobs, undoId: RunId): Promise<FolderVerdict | undefined> =>
  readJson(work, verdictName(undoId), FolderVerdict);
