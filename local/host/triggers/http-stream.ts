import http, { type IncomingMessage, type ServerResponse } from "node:http";
import { pipeline } from "node:stream/promises";
import type { AppFunction } from "./app-function.ts";
import { httpMetadata } from "./http-messages.ts";

/** Headers that belong to one connection. Source: RFC 9110, 7.6.1. */
const HOP_BY_HOP = ["connection", "keep-alive", "transfer-encoding", "upgrade", "x-ms-invocation-id"];

/**
 * Runs a function whose request and response are streams: both pass through the HTTP server that the library runs in
 * the app's process. Throws when the function throws or the connection breaks.
 */
export const runStreamed = async (
  { name, run }: AppFunction,
  request: IncomingMessage,
  response: ServerResponse,
  params: Record<string, string>,
): Promise<void> => {
  const abort = new AbortController();
  let answered: Promise<void> | undefined;
  try {
    await run({ http: {} }, httpMetadata(request, params), ({ invocationId, httpUri }) => {
      if (httpUri === undefined) throw new Error(`The process that runs ${name} takes no streams.`);
      answered = forward(request, response, new URL(request.url ?? "/", httpUri), invocationId, abort.signal);
      // The invocation reports a broken connection first; this promise is awaited below.
      answered.catch(() => {});
    });
    await answered;
  } catch (error) {
    abort.abort();
    throw error;
  }
};

const forward = async (
  request: IncomingMessage,
  response: ServerResponse,
  url: URL,
  invocationId: string,
  signal: AbortSignal,
): Promise<void> => {
  const headers = {
    ...request.headers,
    "x-ms-invocation-id": invocationId,
    "x-forwarded-host": request.headers.host,
    "x-forwarded-proto": "http",
  };
  const outgoing = http.request(url, { method: request.method, headers, signal });
  const incoming = new Promise<IncomingMessage>((resolve, reject) => {
    outgoing.once("response", resolve);
    outgoing.once("error", reject);
  });
  // The app may answer before it has read everything. A failure here also breaks the answer, which is awaited.
  pipeline(request, outgoing).catch(() => {});

  const answer = await incoming;

  response.statusCode = answer.statusCode ?? 500;
  for (const [name, value] of Object.entries(answer.headers)) {
    if (value !== undefined && !HOP_BY_HOP.includes(name)) response.setHeader(name, value);
  }
  await pipeline(answer, response);
};
