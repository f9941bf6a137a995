import * as z from "zod";
import { IdFormats } from "../../shared/contracts/id-formats.ts";
import { TRANSLATE_IDS_LIMIT } from "../../shared/contracts/limits.ts";
import { problemResponse } from "../../shared/http/problem.ts";

/** Most ids in a body or a piece, however short they are, and the longest id. Our own choice. */
const MAX_IDS = 100_000;
const MAX_ID_CHARS = 1_024;

const LIST = `Expected a list of 1 to ${MAX_IDS} ids`;
const ID = `Expected an id: text of 1 to ${MAX_ID_CHARS} characters`;

const isId = (id: unknown): id is string => typeof id === "string" && id !== "" && id.length <= MAX_ID_CHARS;

/** Ids. Only the first one that cannot be an id is named, however many there are. */
export const Ids = z
  .array(z.unknown(), LIST)
  .min(1, LIST)
  .max(MAX_IDS, LIST)
  .transform((ids, ctx): string[] => {
    const wrong = ids.findIndex((id) => !isId(id));
    if (wrong >= 0) ctx.addIssue({ code: "custom", path: [wrong], message: ID });
    return ids.filter(isId);
  });

const Fields = { mailbox: z.string().min(1), ...IdFormats.shape };
const areTwoFormats = ({ from, to }: IdFormats): boolean => from !== to;
const ONE_FORMAT = { path: ["to"], error: "Expected a format other than that of from" };

/** A translation of the ids in its body. */
export const TranslationRequest = z.strictObject({ ...Fields, ids: Ids }).refine(areTwoFormats, ONE_FORMAT);

/** A translation of ids that were uploaded before, in pieces. */
export const UploadedTranslationRequest = z
  .strictObject({ ...Fields, upload: z.string(), pieces: z.int().min(1).max(1_000) })
  .refine(areTwoFormats, ONE_FORMAT);

/** Whether a body is of that kind, also when it is malformed. */
export const isUploaded = (body: unknown): boolean => typeof body === "object" && body !== null && "upload" in body;

export const TOO_MANY_FOR_CALLER = problemResponse(
  400,
  "too-many-ids",
  `Ids are translated in your name (ID_TRANSLATION), and your token is not kept: send ${TRANSLATE_IDS_LIMIT} at most.`,
);
