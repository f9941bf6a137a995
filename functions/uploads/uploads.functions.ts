import type { Feature } from "../register.ts";
import { getUpload } from "./get-upload.http.ts";
import { putPiece } from "./put-piece.http.ts";
import { startUpload } from "./start-upload.http.ts";

export const uploadsFunctions: Feature = (register, { backup, translator }) => {
  register.http("start-upload", startUpload({ ...backup, translator }));
  register.http("get-upload", getUpload(backup));
  register.http("put-piece", putPiece(backup));
};
