import * as z from "zod";
import type { RunId } from "../../shared/contracts/ids.ts";
import { translationInstance } from "../../shared/contracts/job-ids.ts";
import { TRANSLATE_IDS_LIMIT } from "../../shared/contracts/limits.ts";
import { type Blobs, readJson } from "../../shared/storage/blobs.ts";
import { createOnce } from "../../shared/storage/create-once.ts";
import { piecesOf } from "../../shared/uploads/pieces.ts";

/** The result for an id. */
export const TranslatedId = z.union([
  z.object({ id: z.string(), translated: z.string() }),
  z.object({ id: z.string(), error: z.object({ message: z.string() }) }),
]);
export type TranslatedId = z.output<typeof TranslatedId>;

const ResultPiece = z.array(TranslatedId);

/** How many requests, and pieces of results, a piece with so many ids makes. */
const requestsFor = (ids: number): number => Math.ceil(ids / TRANSLATE_IDS_LIMIT);

/** The pieces of results of ids that came in pieces with so many. */
export const resultPieces = (ids: readonly number[]): number => ids.reduce((sum, each) => sum + requestsFor(each), 0);

/**
 * Reads the ids of a piece of results. One piece of those that were sent is held at a time, of 4 MB at most.
 *
 * @throws {Error} when there is no such piece, or it has expired.
 */
export const idReader = async (
  work: Blobs,
  translationId: RunId,
): Promise<(piece: number) => Promise<readonly string[]>> => {
  const sent = piecesOf(work, translationInstance(translationId));
  const lines = await sent.startedLines();
  let held: { readonly number: number; readonly ids: readonly string[] } | undefined;
  return async (piece) => {
    let first = 0;
    for (const [number, count] of lines.entries()) {
      const from = (piece - first) * TRANSLATE_IDS_LIMIT;
      first += requestsFor(count);
      if (piece >= first) continue;
      if (held?.number !== number) held = { number, ids: await sent.read(number) };
      return held.ids.slice(from, from + TRANSLATE_IDS_LIMIT);
    }
    throw new Error(`Translation ${translationId} has no piece ${piece}`);
  };
};

const resultsName = (translationId: RunId, piece: number): string =>
  `translate-${translationId}/results/p${String(piece).padStart(6, "0")}.json`;

/** Keeps the results of a piece, unless another delivery did; returns the results that stand. */
export const keepResults = (
  work: Blobs,
  translationId: RunId,
  piece: number,
  results: readonly TranslatedId[],
): Promise<TranslatedId[]> => createOnce(work, resultsName(translationId, piece), ResultPiece, [...results]);

export const findResults = (work: Blobs, translationId: RunId, piece: number): Promise<TranslatedId[] | undefined> =>
  readJson(work, resultsName(translationId, piece), ResultPiece);
