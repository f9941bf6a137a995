import type { HttpRequest, HttpResponseInit } from "@azure/functions";
import type { IdFormats } from "../../shared/contracts/id-formats.ts";
import type { RunId } from "../../shared/contracts/ids.ts";
import { translationInstance } from "../../shared/contracts/job-ids.ts";
import { TRANSLATE_IDS_LIMIT } from "../../shared/contracts/limits.ts";
import type { MailboxRef } from "../../shared/contracts/mailbox.ts";
import type { ClientOf } from "../../shared/durable/client.ts";
import { startUnlessKnown } from "../../shared/durable/start-once.ts";
import type { OpenGraph } from "../../shared/graph/graph-client.ts";
import { translateExchangeIds } from "../../shared/graph/translate-ids.ts";
import { accepted } from "../../shared/http/accepted.ts";
import { readBody } from "../../shared/http/body.ts";
import type { SignedInHandler } from "../../shared/http/guard.ts";
import { invalidRequest, json, problemResponse, respondWith } from "../../shared/http/problem.ts";
import { newStart, startedId } from "../../shared/http/start.ts";
import { findMailbox } from "../../shared/mailboxes.ts";
import type { Blobs } from "../../shared/storage/blobs.ts";
import { firstPositions } from "./first-positions.ts";
import type { TranslateExchangeIdsInput } from "./id-translation.contract.ts";
import { malformedIds } from "./malformed-ids.ts";
import { refusalOf } from "./refusal-of.ts";
import { TranslationRequest } from "./translation-request.ts";
import { keepIds } from "./translation-state.ts";
import type { Translator } from "./translator.ts";

/** How long a caller is kept waiting for Graph. */
const GRAPH_DEADLINE_MS = 10_000;

/**
 * POST /api/ids/translate
 *
 * 200 with a result for each of up to 1,000 ids, in the order of the request; 202 with the job's `Location` for more.
 * 400 for a body that does not parse, for ids that cannot be of their format, and for more than 1,000 ids in the
 * caller's name. 401 and 403 when there is no token in the caller's name. 403 with the missing permission when Graph
 * translates no ids. 404 for a mailbox that does not exist, and with the results when no id has a counterpart, as for
 * ids of another mailbox. 503 while Graph does not answer. Each call is a translation of its
 * own.
 */
export const startTranslation =
  (deps: {
    readonly clientOf: ClientOf;
    readonly openGraph: OpenGraph;
    readonly translator: Translator;
    readonly vault: Blobs;
    readonly work: Blobs;
  }): SignedInHandler =>
  async (request, context, _, start = newStart()) => {
    const { translator, work } = deps;
    const body = TranslationRequest.safeParse(await readBody(request));
    if (!body.success) return invalidRequest(body.error);
    const { from, to, ids } = body.data;
    const malformed = malformedIds(ids, from);
    if (malformed !== undefined) return respondWith(malformed);
    const isJob = ids.length > TRANSLATE_IDS_LIMIT;
    if (isJob && translator.by === "caller") return TOO_MANY_FOR_CALLER;

    const graph = deps.openGraph({ untilMs: Date.now() + GRAPH_DEADLINE_MS });
    const mailbox = await findMailbox(graph, deps.vault, body.data.mailbox);
    if (mailbox === undefined) return problemResponse(404, "mailbox-not-found", "There is no such mailbox.");
    if (!isJob) return answerAtOnce(translator, request, mailbox, { from, to, ids });

    const translationId = startedId(start);
    const instanceId = translationInstance(translationId);
    const pieces = await keepAll(work, translationId, ids);
    const input: TranslateExchangeIdsInput = { translationId, mailbox, from, to, ids: ids.length, pieces };
    await startUnlessKnown(deps.clientOf(context), "translate-exchange-ids", { instanceId, input });
    return accepted(instanceId, { mailbox: mailbox.key, ids: ids.length, result: `/api/jobs/${instanceId}/result` });
  };

const TOO_MANY_FOR_CALLER = problemResponse(
  400,
  "too-many-ids",
  `Ids are translated in your name (ID_TRANSLATION), and your token is not kept: send ${TRANSLATE_IDS_LIMIT} at most.`,
);

/** Keeps ids in pieces, a repeated one as its first position; returns the number of pieces. */
const keepAll = async (work: Blobs, translationId: RunId, ids: readonly string[]): Promise<number> => {
  const positions = firstPositions();
  const entries = ids.map((id, position) => positions.add(id, position) ?? id);
  const pieces = Math.ceil(ids.length / TRANSLATE_IDS_LIMIT);
  for (let piece = 0; piece < pieces; piece += 1) {
    const first = piece * TRANSLATE_IDS_LIMIT;
    await keepIds(work, translationId, piece, entries.slice(first, first + TRANSLATE_IDS_LIMIT));
  }
  return pieces;
};

const answerAtOnce = async (
  translator: Translator,
  request: HttpRequest,
  { userId }: MailboxRef,
  { ids, ...formats }: IdFormats & { readonly ids: readonly string[] },
): Promise<HttpResponseInit> => {
  const openGraph = await translator.open(request);
  if (typeof openGraph !== "function") return respondWith(openGraph);
  try {
    const graph = openGraph({ untilMs: Date.now() + GRAPH_DEADLINE_MS });
    const outcomes = await translateExchangeIds(graph, userId, ids, formats);
    const results = outcomes.map((outcome, n) => ({ id: ids[n], ...outcome }));
    return outcomes.every((outcome) => "error" in outcome) ? noneTranslated(results) : json(200, { results });
  } catch (error) {
    return respondWith(refusalOf(error, translator.by));
  }
};

const noneTranslated = (results: readonly object[]): HttpResponseInit =>
  problemResponse(
    404,
    "ids-not-found",
    "None of the ids has a counterpart: check that they are ids of this mailbox, in the format that from names.",
    { results },
  );
