import type { HttpRequest, HttpResponseInit, InvocationContext } from "@azure/functions";
import type * as z from "zod";
import type { ExchangeIdFormat, IdFormats } from "../../shared/contracts/id-formats.ts";
import { RunId } from "../../shared/contracts/ids.ts";
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
import type { Principal } from "../../shared/security/principal.ts";
import type { Blobs } from "../../shared/storage/blobs.ts";
import { piecesOf } from "../../shared/uploads/pieces.ts";
import { completeUpload, uploadStarted } from "../../shared/uploads/uploads.ts";
import type { TranslateExchangeIdsInput } from "./id-translation.contract.ts";
import { malformedIds } from "./malformed-ids.ts";
import { refusalOf } from "./refusal-of.ts";
import {
  isUploaded,
  TOO_MANY_FOR_CALLER,
  TranslationRequest,
  UploadedTranslationRequest,
} from "./translation-request.ts";
import { resultPieces } from "./translation-state.ts";
import type { Translator } from "./translator.ts";

/** How long a caller is kept waiting for Graph. */
const GRAPH_DEADLINE_MS = 10_000;

interface Deps {
  readonly clientOf: ClientOf;
  readonly openGraph: OpenGraph;
  readonly translator: Translator;
  readonly vault: Blobs;
  readonly work: Blobs;
}

/**
 * POST /api/ids/translate
 *
 * 200 with a result for each of up to 1,000 ids, in the order of the request; 202 with the job's `Location` for more.
 * 400 for a body that does not parse, for ids that cannot be of their format, and for more than 1,000 ids in the
 * caller's name. 401 and 403 when there is no token in the caller's name. 403 with the missing permission when Graph
 * translates no ids. 404 for a mailbox that does not exist, and with the results when no id has a counterpart, as for
 * ids of another mailbox. 503 while Graph does not answer. Each call is a translation of its own.
 *
 * Ids that were uploaded in pieces are one translation, whose id is the upload's. 404 and 410 for an upload that the
 * caller does not have, 409 where pieces are missing, and where it was started with something else.
 */
export const startTranslation =
  (deps: Deps): SignedInHandler =>
  async (request, context, principal, start = newStart()) => {
    const body = await readBody(request);
    if (isUploaded(body)) {
      const uploaded = UploadedTranslationRequest.safeParse(body);
      if (!uploaded.success) return invalidRequest(uploaded.error);
      return translateUpload(deps, context, principal, uploaded.data);
    }
    const listed = TranslationRequest.safeParse(body);
    if (!listed.success) return invalidRequest(listed.error);
    const { ids, from, to } = listed.data;
    const malformed = malformedIds(ids, from);
    if (malformed !== undefined) return respondWith(malformed);
    const isJob = ids.length > TRANSLATE_IDS_LIMIT;
    if (isJob && deps.translator.by === "caller") return TOO_MANY_FOR_CALLER;

    const mailbox = await mailboxOf(deps, listed.data);
    if (mailbox === undefined) return MAILBOX_NOT_FOUND;
    if (!isJob) return answerAtOnce(deps.translator, request, mailbox, { from, to, ids });

    const job = translationInstance(startedId(start));
    const sent = piecesOf(deps.work, job);
    await sent.keepWhole(ids);
    await sent.start({ from, to }, [ids.length]);
    return startJob(deps, context, job, { mailbox, from, to, lines: [ids.length] });
  };

const translateUpload = async (
  deps: Deps,
  context: InvocationContext,
  principal: Principal,
  { upload: id, pieces, from, to, mailbox: name }: z.output<typeof UploadedTranslationRequest>,
): Promise<HttpResponseInit> => {
  const found = await completeUpload(deps.work, principal, { id, of: "ids", pieces });
  if ("refusal" in found) return found.refusal;
  const { upload, lines } = found;
  if (upload.what.of === "ids" && upload.what.from !== from) return otherFormat(upload.what.from);
  const mailbox = await mailboxOf(deps, { mailbox: name });
  if (mailbox === undefined) return MAILBOX_NOT_FOUND;
  const isOwn = await piecesOf(deps.work, id).start({ mailbox: mailbox.key, from, to }, lines);
  return isOwn ? startJob(deps, context, id, { mailbox, from, to, lines }) : uploadStarted(id);
};

const mailboxOf = (
  { openGraph, vault }: Deps,
  { mailbox }: { readonly mailbox: string },
): Promise<MailboxRef | undefined> =>
  findMailbox(openGraph({ untilMs: Date.now() + GRAPH_DEADLINE_MS }), vault, mailbox);

const startJob = async (
  { clientOf }: Deps,
  context: InvocationContext,
  instanceId: string,
  { lines, ...what }: IdFormats & { readonly mailbox: MailboxRef; readonly lines: readonly number[] },
): Promise<HttpResponseInit> => {
  const ids = lines.reduce((sum, each) => sum + each, 0);
  const translationId = RunId.parse(translationInstance.parse(instanceId)?.[0]);
  const input: TranslateExchangeIdsInput = { translationId, ...what, ids, pieces: resultPieces(lines) };
  await startUnlessKnown(clientOf(context), "translate-exchange-ids", { instanceId, input });
  return accepted(instanceId, { mailbox: what.mailbox.key, ids, result: `/api/jobs/${instanceId}/result` });
};

const MAILBOX_NOT_FOUND = problemResponse(404, "mailbox-not-found", "There is no such mailbox.");

const otherFormat = (from: ExchangeIdFormat): HttpResponseInit =>
  problemResponse(409, "upload-format-differs", `The upload has ids of the format ${from}: say so in from.`);

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
