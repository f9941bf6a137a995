import http, { type IncomingMessage, type ServerResponse } from "node:http";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { type Clock, FunctionFailedError, FunctionTimeoutError } from "../contract.ts";
import type { AppFunction } from "./app-function.ts";
import { httpMetadata } from "./http-messages.ts";

/** Headers that belong to one connection. Source: RFC 9110, 7.6.1. */
const HOP_BY_HOP = ["connection", "keep-alive", "transfer-encoding", "upgrade"];

export interface StreamLimits {
  readonly clock: Clock;
  /** How long the host waits for an answer that cannot come. */
  readonly silenceMs: number;
  readonly maxBodyBytes: number;
}

/** The request cannot be answered by its function: the caller gets a bare 500. */
export class NoAnswerError extends Error {
  override readonly name = "NoAnswerError";
}

interface Call {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly limits: StreamLimits;
  readonly abort: AbortController;
}

/**
 * Runs a function whose request and response are streams: both pass through the HTTP server that the library runs in
 * the app's process. Of a function that throws, that server sends nothing, so the caller waits until the silence has
 * lasted too long. Throws when the function throws or the connection breaks.
 */
export const runStreamed = async (
  { name, run }: AppFunction,
  request: IncomingMessage,
  response: ServerResponse,
  params: Record<string, string>,
  limits: StreamLimits,
): Promise<void> => {
  const call: Call = { request, response, limits, abort: new AbortController() };
  let forwarded: Promise<void> | undefined;
  try {
    await new Promise<void>((resolve, reject) => {
      const running = run({ http: {} }, httpMetadata(request, params), ({ invocationId, httpUri }) => {
        if (httpUri === undefined) throw new Error(`The process that runs ${name} takes no streams.`);
        forwarded = forward(call, new URL(escapedSlashes(request.url ?? "/"), httpUri), invocationId);
        // Of a connection that breaks, the invocation tells more.
        forwarded.catch((error) => error instanceof NoAnswerError && reject(error));
      });
      withoutHanging(running, limits).then(resolve, reject);
    });
    await forwarded;
  } catch (error) {
    call.abort.abort();
    throw error;
  }
};

/** What a function throws does not reach the caller while the host waits for an answer. */
const withoutHanging = async (running: Promise<unknown>, limits: StreamLimits): Promise<void> => {
  try {
    await running;
  } catch (error) {
    const hangs = error instanceof FunctionFailedError && !(error instanceof FunctionTimeoutError);
    if (hangs) await silence(limits);
    throw error;
  }
};

const silence = ({ clock, silenceMs }: StreamLimits): Promise<void> =>
  new Promise((resolve) => {
    if (silenceMs === 0) resolve();
    else clock.at(clock.now() + silenceMs, resolve);
  });

/** The real host decodes a path and encodes it again, but leaves an encoded slash as it is. */
const escapedSlashes = (url: string): string => {
  const [path = "", ...query] = url.split("?");
  return [path.replaceAll(/%2f/gi, (slash) => `%25${slash.slice(1)}`), ...query].join("?");
};

const forward = async (call: Call, url: URL, invocationId: string): Promise<void> => {
  const { request, response, limits, abort } = call;
  // The host leaves the header of a caller as it is, and the library waits for the host's own id, which never comes.
  if (request.headers["x-ms-invocation-id"] !== undefined) {
    await silence(limits);
    throw new NoAnswerError("The caller sent an invocation id.");
  }
  const headers = {
    ...request.headers,
    "x-ms-invocation-id": invocationId,
    "x-forwarded-host": request.headers.host,
    "x-forwarded-proto": "http",
  };
  const outgoing = http.request(url, { method: request.method, headers, signal: abort.signal });
  let giveUp = (_: NoAnswerError): void => undefined;
  const givenUp = new Promise<never>((_, reject) => {
    giveUp = reject;
  });
  givenUp.catch(() => {});
  // The app may answer before it has read everything. A failure here also breaks the answer, which is awaited.
  pipeline(request, counted(limits.maxBodyBytes), outgoing).catch((error: Error) => {
    if (error instanceof NoAnswerError) giveUp(error);
  });
  const incoming = new Promise<IncomingMessage>((resolve, reject) => {
    outgoing.once("response", resolve);
    outgoing.once("error", reject);
  });

  const answer = await Promise.race([incoming, givenUp]);

  response.statusCode = answer.statusCode ?? 500;
  for (const [name, value] of Object.entries(answer.headers)) {
    if (value !== undefined && !HOP_BY_HOP.includes(name)) response.setHeader(name, value);
  }
  await Promise.race([pipeline(answer, response), givenUp]);
};

/** Kestrel refuses a body that is too large, streamed or not. */
const counted = (maxBytes: number): Transform => {
  let sizeBytes = 0;
  return new Transform({
    transform(chunk: Buffer, _, done) {
      sizeBytes += chunk.length;
      if (sizeBytes > maxBytes) done(new NoAnswerError(`The body is over ${maxBytes} bytes.`));
      else done(null, chunk);
    },
  });
};
