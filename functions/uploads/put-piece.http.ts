import type { HttpResponseInit } from "@azure/functions";
import * as z from "zod";
import { bodyBytes } from "../../shared/http/body.ts";
import type { SignedInHandler } from "../../shared/http/guard.ts";
import { invalidRequest, json, problemResponse, respondWith } from "../../shared/http/problem.ts";
import type { Blobs } from "../../shared/storage/blobs.ts";
import { piecesOf, textLines } from "../../shared/uploads/pieces.ts";
import { findUpload, type UploadOf, uploadStarted } from "../../shared/uploads/uploads.ts";
import { malformedIds } from "../id-translation/malformed-ids.ts";
import { Ids } from "../id-translation/translation-request.ts";
import { EntryLine } from "../restore/request/restore-request.ts";
import { MAX_RESTORES } from "../restore/restore-list.contract.ts";

/** Up to 1,000 pieces: a million ids of any length fit into 250. Our own choice. */
const PIECE = "Expected the number of a piece, from 0 to 999";
const Piece = z.object({
  piece: z
    .string()
    .regex(/^\d{1,3}$/, PIECE)
    .transform(Number),
});

/**
 * PUT /api/uploads/{id}/pieces/{piece}
 *
 * A piece has lines of text: an id on each, or a restore of a list as JSON. 201 with their number; 200 when the same
 * piece is there already. 400 for lines that do not parse, and ids that cannot be of their format, with the positions
 * in this piece. 404 for an upload that does not exist, or is somebody else's. 409 for another piece of that number,
 * and for a new one of an upload that was started. 410 for an upload that has expired.
 */
export const putPiece =
  ({ work }: { readonly work: Blobs }): SignedInHandler =>
  async (request, _context, principal) => {
    const number = Piece.safeParse({ piece: request.params["piece"] });
    if (!number.success) return invalidRequest(number.error);
    const { piece } = number.data;
    const found = await findUpload(work, principal, request.params["id"]);
    if ("refusal" in found) return found.refusal;
    const { id, what } = found.upload;

    const bytes = await bodyBytes(request);
    const lines = textLines(bytes);
    const wrong = wrongLines(what, lines);
    if (wrong !== undefined) return wrong;
    const outcome = await piecesOf(work, id).keep(piece, bytes, lines.length);
    if (outcome === "other") return OTHER_PIECE;
    if (outcome === "started") return uploadStarted(id);
    return json(outcome === "kept" ? 201 : 200, { piece, lines: lines.length });
  };

const IdLines = z.object({ lines: Ids });
const RestoreLines = z.object({ lines: z.array(z.string()).min(1).max(MAX_RESTORES).pipe(z.array(EntryLine)) });

const wrongLines = (what: UploadOf, lines: readonly string[]): HttpResponseInit | undefined => {
  const read = (what.of === "ids" ? IdLines : RestoreLines).safeParse({ lines });
  if (!read.success) return invalidRequest(read.error);
  const malformed = what.of === "ids" ? malformedIds(lines, what.from) : undefined;
  return malformed && respondWith(malformed);
};

const OTHER_PIECE = problemResponse(
  409,
  "piece-differs",
  "There is another piece of this number, which stands: use the next number, or create another upload.",
);
