import type { HttpResponseInit } from "@azure/functions";
import * as z from "zod";
import { mapBounded } from "../bounded.ts";
import { ExchangeIdFormat } from "../contracts/id-formats.ts";
import { restoresInstance, translationInstance } from "../contracts/job-ids.ts";
import { problemResponse } from "../http/problem.ts";
import { type Start, startedId } from "../http/start.ts";
import type { Principal } from "../security/principal.ts";
import { type Blobs, readJson } from "../storage/blobs.ts";
import { createOnce } from "../storage/create-once.ts";
import { piecesOf } from "./pieces.ts";

/** How long an upload takes pieces and can be started, so that nothing removes it meanwhile. Our own choice. */
const UPLOAD_MS = 24 * 3_600_000;

/** Numbers of pieces in a problem: more would not help the caller. */
const MAX_NUMBERS = 100;

/** Pieces looked at at the same time. */
const LOOKUPS = 16;

/** What an upload holds: the ids of a translation, or the restores of a list. */
export const UploadOf = z.discriminatedUnion("of", [
  z.strictObject({ of: z.literal("ids"), from: ExchangeIdFormat }),
  z.strictObject({ of: z.literal("restores") }),
]);
export type UploadOf = z.output<typeof UploadOf>;

/** Most lines of all pieces. */
const MAX_LINES: Readonly<Record<UploadOf["of"], number>> = { ids: 1_000_000, restores: 1_000 };

const Upload = z.object({ what: UploadOf, principal: z.string(), at: z.iso.datetime(), guid: z.string() });

/** An upload of a caller. */
export interface OwnUpload {
  /** That of the job that it will start, whose scratch data it is from the beginning. */
  readonly id: string;
  readonly what: UploadOf;
  /** What its job is named by. */
  readonly start: Start;
  readonly expires: Date;
}

/** Creates an upload; a repetition of the call has the same one. */
export const createUpload = async (
  work: Blobs,
  { id: principal }: Principal,
  start: Start,
  what: UploadOf,
): Promise<OwnUpload> => {
  const id = (what.of === "ids" ? translationInstance : restoresInstance)(startedId(start));
  const own = { what, principal, at: start.at.toISOString(), guid: start.guid };
  return ownUpload(id, await createOnce(work, uploadName(id), Upload, own));
};

/** A caller's upload. 404 for one that does not exist or is somebody else's, 410 for one that has expired. */
export const findUpload = async (
  work: Blobs,
  { id: principal }: Principal,
  id: string | undefined,
): Promise<{ readonly upload: OwnUpload } | { readonly refusal: HttpResponseInit }> => {
  const isId = [translationInstance, restoresInstance].some((form) => form.parse(id ?? "") !== undefined);
  const found = isId && id !== undefined ? await readJson(work, uploadName(id), Upload) : undefined;
  if (id === undefined || found?.principal !== principal) return { refusal: NOT_FOUND };
  const upload = ownUpload(id, found);
  return upload.expires.getTime() < Date.now() ? { refusal: EXPIRED } : { upload };
};

/**
 * A caller's upload with the lines of each of its pieces, once it has as many as the caller says. 409 with the pieces
 * that are missing, and with those that are there beyond that number.
 */
export const completeUpload = async (
  work: Blobs,
  principal: Principal,
  { id, of, pieces }: { readonly id: string; readonly of: UploadOf["of"]; readonly pieces: number },
): Promise<
  { readonly upload: OwnUpload; readonly lines: readonly number[] } | { readonly refusal: HttpResponseInit }
> => {
  const found = await findUpload(work, principal, id);
  if ("refusal" in found) return found;
  if (found.upload.what.of !== of) return { refusal: NOT_FOUND };
  const { numbers, linesOf } = piecesOf(work, id);
  const there = new Set(await numbers());
  const missing = Array.from({ length: pieces }, (_, piece) => piece).filter((piece) => !there.has(piece));
  const surplus = [...there].filter((piece) => piece >= pieces);
  if (missing.length + surplus.length > 0) return { refusal: piecesDiffer(missing, surplus) };
  const lines = await mapBounded([...there], LOOKUPS, linesOf);
  const isTooLong = lines.reduce((sum, each) => sum + each, 0) > MAX_LINES[of];
  return isTooLong ? { refusal: TOO_LONG } : { ...found, lines };
};

/** 409 with the job that has the upload. */
export const uploadStarted = (job: string): HttpResponseInit =>
  problemResponse(
    409,
    "upload-started",
    "This upload has been started, with what it was started with: create another one.",
    { job, location: `/api/jobs/${job}` },
  );

const uploadName = (id: string): string => `${id}/upload.json`;

const ownUpload = (id: string, { what, at, guid }: z.output<typeof Upload>): OwnUpload => {
  const start = { at: new Date(at), guid, hasKey: true };
  return { id, what, start, expires: new Date(start.at.getTime() + UPLOAD_MS) };
};

const NOT_FOUND = problemResponse(404, "upload-not-found", "You have no such upload of this kind: create one first.");

const EXPIRED = problemResponse(410, "upload-expired", "The upload has expired: create another one.");

const TOO_LONG = problemResponse(
  400,
  "upload-too-long",
  `The upload has too many lines: ${MAX_LINES.ids} ids at most, or ${MAX_LINES.restores} restores.`,
);

const piecesDiffer = (missing: readonly number[], surplus: readonly number[]): HttpResponseInit =>
  problemResponse(
    409,
    "pieces-differ",
    "The upload has other pieces than the number that you say: they count from 0, without a gap.",
    { missing: missing.slice(0, MAX_NUMBERS), surplus: surplus.slice(0, MAX_NUMBERS) },
  );
