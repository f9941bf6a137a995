import type { SignedInHandler } from "../../shared/http/guard.ts";
import { json } from "../../shared/http/problem.ts";
import type { Blobs } from "../../shared/storage/blobs.ts";
import { piecesOf } from "../../shared/uploads/pieces.ts";
import { findUpload } from "../../shared/uploads/uploads.ts";

/**
 * GET /api/uploads/{id}
 *
 * 200 with the numbers of the pieces that are there, so that a caller who broke off can go on. 404 for an upload that
 * does not exist, or is somebody else's; 410 for one that has expired.
 */
export const getUpload =
  ({ work }: { readonly work: Blobs }): SignedInHandler =>
  async (request, _context, principal) => {
    const found = await findUpload(work, principal, request.params["id"]);
    if ("refusal" in found) return found.refusal;
    const { id, what, expires } = found.upload;
    return json(200, {
      upload: id,
      ...what,
      expires: expires.toISOString(),
      pieces: await piecesOf(work, id).numbers(),
    });
  };
