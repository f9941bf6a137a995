import { createHash, randomUUID } from "node:crypto";
import type { HttpRequest, HttpResponseInit, InvocationContext } from "@azure/functions";
import * as z from "zod";
import type { ClientOf } from "../durable/client.ts";
import { findInstance } from "../durable/start-once.ts";
import type { Principal } from "../security/principal.ts";
import { type Blobs, parseJson, readJson, updateJson } from "../storage/blobs.ts";
import { bodyBytes } from "./body.ts";
import type { SignedInHandler } from "./guard.ts";
import { problemResponse } from "./problem.ts";
import type { Start } from "./start.ts";

/** Printable ASCII, as a header holds it. */
const Key = z.string().regex(/^[\x21-\x7e]{1,255}$/);

/** How long a job that was started may not be listed yet. */
const STARTING_MS = 2 * 60_000;

/** The call that first came with a key, and its answer once it had started a job. */
const FirstCall = z.object({
  body: z.string(),
  at: z.iso.datetime(),
  guid: z.string(),
  answer: z
    .object({
      job: z.string(),
      /** Of an upload: it is remembered until then, though its job does not exist yet. */
      expires: z.iso.datetime().optional(),
      headers: z.record(z.string(), z.string()),
      body: z.string(),
    })
    .optional(),
});
type FirstCall = z.output<typeof FirstCall>;

const sha256 = (data: Uint8Array | string): string => createHash("sha256").update(data).digest("hex");

/** Keys are the caller's own, for each address. A blob's name says neither. */
const nameOf = (request: HttpRequest, { id }: Principal, key: string): string =>
  `starts/${sha256([id, request.method, new URL(request.url).pathname, key].join("\n"))}.json`;

/**
 * Heeds the header `Idempotency-Key` of a call that starts a job: the same key with the same body returns the answer of
 * the first call that started one. Where its answer was not kept, as after a crash, the call is made again under the id
 * that the first one had for its job, so that there is one job. 400 for a key that cannot be one; 422 for the same
 * key with another body.
 *
 * A key is remembered as long as its job is listed. What started nothing is not remembered.
 */
export const startsOnce =
  (deps: { readonly work: Blobs; readonly clientOf: ClientOf }) =>
  (handler: SignedInHandler): SignedInHandler =>
  async (request, context, principal) => {
    const header = request.headers.get("idempotency-key");
    if (header === null) return handler(request, context, principal);
    const key = Key.safeParse(header);
    if (!key.success) return INVALID_KEY;
    const body = await bodyBytes(request);

    const { work } = deps;
    const name = nameOf(request, principal, key.data);
    const own: FirstCall = { body: sha256(body), at: new Date().toISOString(), guid: randomUUID() };
    const first = await firstCall(deps, context, name, own);
    if (first.body !== own.body) return REUSED;
    if (first.answer !== undefined) return responseOf(first.answer);

    const isRepeated = first.guid !== own.guid;
    const start: Start = { at: new Date(first.at), guid: first.guid, hasKey: true };
    const response = await handler(request, context, principal, start);
    const answer = answerOf(response);
    if (answer === undefined) {
      if (!isRepeated && (response.status ?? 200) < 500) await forget(work, name);
      return response;
    }
    const kept = await updateJson(work, name, FirstCall, (current = first) =>
      current.guid === first.guid && current.answer === undefined ? { ...current, answer } : current,
    );
    return kept.guid === first.guid && kept.answer !== undefined ? responseOf(kept.answer) : response;
  };

/**
 * Renews a key whose job is listed, so that storage does not remove it by its age, or removes it: a repetition of the
 * call would be a call of its own by then.
 */
export const tidyKey = async (
  work: Blobs,
  name: string,
  isListed: (job: string) => Promise<boolean>,
): Promise<"renewed" | "removed" | "gone"> => {
  const found = await work.readWhole(name);
  if (found === undefined) return "gone";
  const { answer } = parseJson(name, found.body, FirstCall);
  if (answer === undefined || !(await isListed(answer.job)))
    return (await work.remove(name, found.etag)) === "removed" ? "removed" : "gone";
  await work.renew(name);
  return "renewed";
};

/** Forgets a call that started nothing; not where one that repeated it meanwhile did. */
const forget = async (work: Blobs, name: string): Promise<void> => {
  const kept = await readJson(work, name, FirstCall);
  if (kept?.answer === undefined) await work.remove(name);
};

/** The call that first came with a key; the own one where none did, or where the job of that one is not listed now. */
const firstCall = async (
  { work, clientOf }: { readonly work: Blobs; readonly clientOf: ClientOf },
  context: InvocationContext,
  name: string,
  own: FirstCall,
): Promise<FirstCall> => {
  const found = await work.readWhole(name);
  const known = found && parseJson(name, found.body, FirstCall);
  const isForgotten =
    known?.answer !== undefined &&
    Date.now() > Date.parse(known.answer.expires ?? known.at) + STARTING_MS &&
    (await findInstance(clientOf(context), known.answer.job)) === undefined;
  return updateJson(work, name, FirstCall, (current) =>
    current === undefined || (isForgotten && current.guid === known?.guid) ? own : current,
  );
};

const Started = z.looseObject({ job: z.string() });
const Created = z
  .looseObject({ upload: z.string(), expires: z.iso.datetime() })
  .transform(({ upload, expires }) => ({ job: upload, expires }));

/** What is kept of a response that says which job was started, or will be; `undefined` for any other. */
const answerOf = ({ status, headers, body }: HttpResponseInit): FirstCall["answer"] => {
  if ((status !== 202 && status !== 201) || typeof body !== "string") return undefined;
  const { job, ...more } = (status === 202 ? Started.pick({ job: true }) : Created).parse(JSON.parse(body));
  return { job, ...more, headers: z.record(z.string(), z.string()).parse(headers), body };
};

const responseOf = ({ expires, headers, body }: NonNullable<FirstCall["answer"]>): HttpResponseInit => ({
  status: expires === undefined ? 202 : 201,
  headers,
  body,
});

const INVALID_KEY = problemResponse(
  400,
  "invalid-idempotency-key",
  "The header Idempotency-Key is 1 to 255 printable ASCII characters without spaces.",
);

const REUSED = problemResponse(
  422,
  "idempotency-key-reused",
  "This Idempotency-Key came with another body before, and its job is still listed: use a new key.",
);
