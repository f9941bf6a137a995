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

/**
 * A body that is too large passes by without being held, and then the answer goes out: one that came before would break
 * the connection of a caller who still sends. Who does not end in time is answered all the same.
 */
const arrived = async (request: HttpRequest, withinMs: number): Promise<Buffer> => {
  const reader: Reader | undefined = request.body?.getReader();
  if (reader === undefined) return Buffer.alloc(0);
  const announced = Number(request.headers.get("content-length") ?? 0);
  const held: Held = { pieces: [], bytes: announced > MAX_BODY_BYTES ? announced : 0 };
  const over = new AbortController();
  const late = delay(withinMs, false, { signal: over.signal }).catch(() => false);
  const isWhole = await Promise.race([collect(reader, held), late]).finally(() => over.abort());
  const { pieces, bytes } = held;
  // What still arrives is not held.
  Object.assign(held, { pieces: [], bytes: MAX_BODY_BYTES });
  if (bytes > MAX_BODY_BYTES) throw new RefusedBodyError(TOO_LARGE);
  if (!isWhole) throw new RefusedBodyError(LATE);
  return Buffer.concat(pieces);
};

interface Held {
  pieces: Uint8Array[];
  bytes: number;
}

/** Holds a body as it arrives, unless it is too large. Returns whether it arrived to its end. */
const collect = async (reader: Reader, held: Held): Promise<boolean> => {
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      held.bytes += next.value.byteLength;
      if (held.bytes > MAX_BODY_BYTES) held.pieces = [];
      else held.pieces.push(next.value);
    }
    return true;
  } catch {
    return false;
  }
};
