import { setTimeout as delay } from "node:timers/promises";
import type { HttpRequest } from "@azure/functions";
import type { SignedInHandler } from "./guard.ts";
import { type Problem, problem, respondWith } from "./problem.ts";

/** Most bytes of a body. Our own choice: host and app hold it in memory, once for each call under way. */
export const MAX_BODY_BYTES = 4 * 1024 * 1024;

/** How long a body may take to arrive, so that there is time for an answer. Our own choice. */
const BODY_MS = 10_000;

/** A body that is not read to its end. */
class RefusedBodyError extends Error {
  override readonly name = "RefusedBodyError";
  readonly refusal: Problem;

  constructor(refusal: Problem) {
    super(refusal.detail);
    this.refusal = refusal;
  }
}

const TOO_LARGE = problem(
  413,
  "body-too-large",
  `A body has ${MAX_BODY_BYTES} bytes at most: send more ids, or a longer list of restores, in pieces ` +
    "(POST /api/uploads); anything else in several calls.",
  { maxBytes: MAX_BODY_BYTES },
);

const LATE = problem(
  408,
  "body-late",
  `The body did not arrive whole within ${BODY_MS / 1_000} s: send it again, or smaller ones.`,
);

/**
 * Reads the body before a handler does. 413 for one of more than {@link MAX_BODY_BYTES}, by its announced length or as
 * it arrives; 408 for one that breaks off, or does not arrive in time. Every endpoint stands behind this.
 */
export const withinLimit =
  (handler: SignedInHandler, withinMs = BODY_MS): SignedInHandler =>
  async (request, ...rest) => {
    try {
      await bodyBytes(request, withinMs);
    } catch (error) {
      if (error instanceof RefusedBodyError) return respondWith(error.refusal);
      throw error;
    }
    return handler(request, ...rest);
  };

const bodies = new WeakMap<HttpRequest, Promise<Buffer>>();

/** The bytes of a request's body, for any number of readers. */
export const bodyBytes = (request: HttpRequest, withinMs = BODY_MS): Promise<Buffer> => {
  const body = bodies.get(request) ?? arrived(request, withinMs);
  bodies.set(request, body);
  return body;
};

/** The JSON of a request's body. An empty body is an empty object; `undefined` when the body is not JSON. */
export const readBody = async (request: HttpRequest): Promise<unknown> => {
  const text = new TextDecoder().decode(await bodyBytes(request));
  if (text.trim() === "") return {};
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

type Reader = ReadableStreamDefaultReader<Uint8Array>;

const arrived = async (request: HttpRequest, withinMs: number): Promise<Buffer> => {
  const reader: Reader | undefined = request.body?.getReader();
  if (reader === undefined) return Buffer.alloc(0);
  const over = new AbortController();
  const late = delay(withinMs, LATE, { signal: over.signal }).catch(() => LATE);
  const whole = isAnnouncedTooLarge(request) ? TOO_LARGE : collect(reader, over.signal);
  const first = await Promise.race([whole, late]).finally(() => over.abort());
  if (Buffer.isBuffer(first)) return first;
  void discard(reader);
  throw new RefusedBodyError(first);
};

const isAnnouncedTooLarge = ({ headers }: HttpRequest): boolean =>
  Number(headers.get("content-length") ?? 0) > MAX_BODY_BYTES;

const collect = async (reader: Reader, over: AbortSignal): Promise<Buffer | Problem> => {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  try {
    for (let next = await reader.read(); !next.done && !over.aborted; next = await reader.read()) {
      bytes += next.value.byteLength;
      if (bytes > MAX_BODY_BYTES) return TOO_LARGE;
      pieces.push(next.value);
    }
    return Buffer.concat(pieces);
  } catch {
    return LATE;
  }
};

/**
 * Lets the rest of a refused body pass, piece by piece, after the answer: the next request on the connection comes
 * after it, and to cancel the stream would cut the connection before the answer is sent.
 */
const discard = async (reader: Reader): Promise<void> => {
  try {
    while (!(await reader.read()).done);
  } catch {
    // The caller went away.
  }
};
