import { refuseRole, type SignedInHandler } from "../../shared/http/guard.ts";
import { bodyOf } from "../../shared/http/input.ts";
import { json } from "../../shared/http/problem.ts";
import { newStart } from "../../shared/http/start.ts";
import type { Blobs } from "../../shared/storage/blobs.ts";
import { createUpload, UploadOf } from "../../shared/uploads/uploads.ts";
import { TOO_MANY_FOR_CALLER } from "../id-translation/translation-request.ts";
import type { Translator } from "../id-translation/translator.ts";

const readUpload = bodyOf(UploadOf);

/**
 * POST /api/uploads
 *
 * 201 with the upload's `Location`, its id, which is that of its job to be, and when it expires. 400 for a body that
 * does not parse, and for ids that are translated in the caller's name. 403 without the role to restore, for restores.
 */
export const startUpload =
  (deps: { readonly work: Blobs; readonly translator: Translator }): SignedInHandler =>
  async (request, _context, principal, start = newStart()) => {
    const read = await readUpload(request);
    if ("refusal" in read) return read.refusal;
    const what = read.input;
    if (what.of === "ids" && deps.translator.by === "caller") return TOO_MANY_FOR_CALLER;
    if (what.of === "restores" && !principal.roles.includes("Restore.Operator")) return refuseRole("Restore.Operator");
    const { id, expires } = await createUpload(deps.work, principal, start, what);
    const location = `/api/uploads/${id}`;
    return json(201, { upload: id, location, expires: expires.toISOString() }, { location });
  };
