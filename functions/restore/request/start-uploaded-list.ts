import type { HttpResponseInit } from "@azure/functions";
import type * as z from "zod";
import { invalidRequest } from "../../../shared/http/problem.ts";
import { piecesOf } from "../../../shared/uploads/pieces.ts";
import { completeUpload, uploadStarted } from "../../../shared/uploads/uploads.ts";
import { RestoreListRequest, type UploadedListRequest } from "./restore-request.ts";
import type { ResolveDeps } from "./start-deps.ts";
import { startRestoreList } from "./start-restore-list.ts";

/**
 * Starts a list of restores that was uploaded in pieces, under the id of the upload: the same call again starts nothing
 * more. 409 where pieces are missing, or where it was started as another list.
 */
export const startUploadedList = async (
  deps: ResolveDeps & { readonly window: number },
  { upload: id, pieces, ...common }: z.output<typeof UploadedListRequest>,
): Promise<HttpResponseInit> => {
  const found = await completeUpload(deps.work, deps.principal, { id, of: "restores", pieces });
  if ("refusal" in found) return found.refusal;
  const sent = piecesOf(deps.work, id);
  const restores: unknown[] = [];
  for (let piece = 0; piece < pieces; piece += 1)
    for (const line of await sent.read(piece)) restores.push(JSON.parse(line));
  const list = RestoreListRequest.safeParse({ ...common, restores });
  if (!list.success) return invalidRequest(list.error);
  return startRestoreList({ ...deps, start: found.upload.start }, list.data, async () =>
    (await sent.start(list.data, found.lines)) ? undefined : uploadStarted(id),
  );
};
