import * as z from "zod";
import type { IdFormats, Refusal } from "../contracts/id-formats.ts";
import { TRANSLATE_IDS_LIMIT } from "../contracts/limits.ts";
import type { GraphClient } from "./graph-client.ts";
import { GraphError } from "./graph-error.ts";

/** The outcome of one id: its counterpart in the other format, or why there is none, in Graph's own words. */
export type Translation = { readonly translated: string } | { readonly error: { readonly message: string } };

/** Graph translates no id: the caller lacks the permission, or the directory has no such user. */
export class TranslationRefusedError extends Error {
  override readonly name = "TranslationRefusedError";
  readonly refusal: Refusal;

  constructor(refusal: Refusal, options: ErrorOptions) {
    super(REFUSALS[refusal], options);
    this.refusal = refusal;
  }
}

const REFUSALS: Readonly<Record<Refusal, string>> = {
  permission: "Graph does not let this caller translate ids",
  user: "The directory has no such user any more, and Graph translates the ids of a user's mailbox only",
};

/** `code` is free text too: messages of .NET have been seen in it. */
const ConvertIdResult = z.looseObject({
  sourceId: z.string(),
  targetId: z.string().nullish(),
  errorDetails: z.looseObject({ code: z.string().nullish(), message: z.string().nullish() }).nullish(),
});

const Answer = z.looseObject({ value: z.array(ConvertIdResult) });

/** Longest reason that is returned. */
const MAX_REASON_CHARS = 500;

const MISSING: Translation = { error: { message: "Graph's answer leaves out this id." } };

/**
 * Translates ids of one user's mailbox, in as few requests as Graph allows, one after the other. A repeated id is asked
 * for once. Returns an outcome for each id, in the order of `ids`.
 *
 * @throws {TranslationRefusedError} when Graph translates no id.
 * @throws {GraphError} for any other answer that is no success, or none.
 */
export const translateExchangeIds = async (
  graph: GraphClient,
  userId: string,
  ids: readonly string[],
  formats: IdFormats,
): Promise<Translation[]> => {
  const found = new Map<string, Translation>();
  const wanted = [...new Set(ids)];
  for (let at = 0; at < wanted.length; at += TRANSLATE_IDS_LIMIT)
    for (const result of await ask(graph, userId, wanted.slice(at, at + TRANSLATE_IDS_LIMIT), formats))
      found.set(result.sourceId, outcomeOf(result));
  return ids.map((id) => found.get(id) ?? MISSING);
};

const ask = async (
  graph: GraphClient,
  userId: string,
  inputIds: readonly string[],
  { from, to }: IdFormats,
): Promise<z.output<typeof ConvertIdResult>[]> => {
  const request = {
    operation: "POST translateExchangeIds",
    target: `/v1.0/users/${encodeURIComponent(userId)}/translateExchangeIds`,
    method: "POST",
    body: { inputIds, sourceIdType: from, targetIdType: to },
  } as const;
  try {
    return (await graph.json(request, Answer)).value;
  } catch (cause) {
    if (!(cause instanceof GraphError)) throw cause;
    if (cause.status === 403) throw new TranslationRefusedError("permission", { cause });
    if (cause.status === 404) throw new TranslationRefusedError("user", { cause });
    throw cause;
  }
};

const outcomeOf = ({ targetId, errorDetails }: z.output<typeof ConvertIdResult>): Translation => {
  if (targetId) return { translated: targetId };
  const reason = errorDetails?.message || errorDetails?.code || "Graph states no reason.";
  return { error: { message: reason.slice(0, MAX_REASON_CHARS) } };
};
