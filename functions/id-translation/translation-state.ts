import * as z from "zod";
import type { RunId } from "../../shared/contracts/ids.ts";
import { type Blobs, jsonBytes, readJson, required } from "../../shared/storage/blobs.ts";
import { createAnew, createOnce } from "../../shared/storage/create-once.ts";

const Position = z.int().nonnegative();

/** Some ids of a translation, in order. A number stands for the id at that position, counted over all pieces. */
const IdPiece = z.array(z.union([z.string(), Position]));
export type IdPiece = z.output<typeof IdPiece>;

/** The result for an id. */
export const TranslatedId = z.union([
  z.object({ id: z.string(), translated: z.string() }),
  z.object({ id: z.string(), error: z.object({ message: z.string() }) }),
]);
export type TranslatedId = z.output<typeof TranslatedId>;

const ResultPiece = z.array(TranslatedId);

const pieceName = (translationId: RunId, kind: "ids" | "results", piece: number): string =>
  `translate-${translationId}/${kind}/p${String(piece).padStart(6, "0")}.json`;

export const keepIds = async (work: Blobs, translationId: RunId, piece: number, ids: IdPiece): Promise<void> => {
  await createAnew(work, pieceName(translationId, "ids", piece), jsonBytes(ids));
};

/** @throws {Error} when there is no such piece, or it has expired. */
export const readIds = async (work: Blobs, translationId: RunId, piece: number): Promise<IdPiece> => {
  const ids = await readJson(work, pieceName(translationId, "ids", piece), IdPiece);
  return required(ids, `Translation ${translationId} has no piece ${piece}`);
};

/** Keeps the results of a piece, unless another delivery did; returns the results that stand. */
export const keepResults = (
  work: Blobs,
  translationId: RunId,
  piece: number,
  results: readonly TranslatedId[],
): Promise<TranslatedId[]> => createOnce(work, pieceName(translationId, "results", piece), ResultPiece, [...results]);

export const findResults = (work: Blobs, translationId: RunId, piece: number): Promise<TranslatedId[] | undefined> =>
  readJson(work, pieceName(translationId, "results", piece), ResultPiece);
