import type { HttpHandler, HttpResponseInit } from "@azure/functions";
import type { DurableOrchestrationStatus } from "durable-functions";
import * as z from "zod";
import type { RunId } from "../../shared/contracts/ids.ts";
import { JobId, translationInstance } from "../../shared/contracts/job-ids.ts";
import type { ClientOf } from "../../shared/durable/client.ts";
import { jobState } from "../../shared/durable/job-status.ts";
import { findInstance } from "../../shared/durable/start-once.ts";
import { pageTokens } from "../../shared/http/page-token.ts";
import { json, problemResponse } from "../../shared/http/problem.ts";
import { invalidPage, invalidQuery, readQuery } from "../../shared/http/query.ts";
import type { Blobs } from "../../shared/storage/blobs.ts";
import { TranslationResult } from "./id-translation.contract.ts";
import { findResults } from "./translation-state.ts";

const Query = z.strictObject({ page: z.string().optional() });

const notFound = () => problemResponse(404, "job-not-found", "There is no such job, or its history was purged.");

/**
 * GET /api/jobs/{id}/result?page=
 *
 * 200 with a page of 1,000 results of a translation, in the order of the request's ids, and `next` if there are more;
 * 400 for a parameter that does not parse; 404 for a job that does not exist, or has no results in pages; 409 with the
 * job's state while it has no result; 410 when the result has expired.
 */
export const getTranslations =
  (deps: { readonly clientOf: ClientOf; readonly work: Blobs }): HttpHandler =>
  async (request, context) => {
    const query = Query.safeParse(readQuery(request.query));
    if (!query.success) return invalidQuery(query.error);
    const id = JobId.safeParse(request.params["id"]);
    const job = id.success ? await findInstance(deps.clientOf(context), id.data) : undefined;
    if (job === undefined) return notFound();
    const translationId = translationInstance.parse(job.instanceId)?.[0];
    if (translationId === undefined)
      return problemResponse(404, "no-result", "Only translations of ids have results in pages: see the job itself.");
    return answerPage(deps.work, translationId, job, query.data.page);
  };

const answerPage = async (
  work: Blobs,
  translationId: RunId,
  job: DurableOrchestrationStatus,
  token: string | undefined,
): Promise<HttpResponseInit> => {
  const tokens = pageTokens(z.int().nonnegative(), ["result", translationId]);
  const page = token === undefined ? 0 : tokens.read(token);
  if (page === undefined) return invalidPage();
  const state = jobState(job);
  if (state !== "completed")
    return problemResponse(409, "job-not-finished", `The job is ${state}: it has a result once it is completed.`, {
      state,
    });

  const { pieces } = TranslationResult.parse(job.output);
  const results = await findResults(work, translationId, page);
  if (results === undefined)
    return problemResponse(410, "result-expired", "The results are gone: translate the ids again.");
  return json(200, { results, ...(page + 1 < pieces ? { next: tokens.write(page + 1) } : {}) });
};
