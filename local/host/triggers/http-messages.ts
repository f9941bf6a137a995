import type { IncomingMessage, ServerResponse } from "node:http";
import type { HttpCookie, HttpData, TypedData } from "../contract.ts";

/**
 * Largest request body that the Functions host accepts. Source:
 * https://learn.microsoft.com/azure/azure-functions/functions-bindings-http-webhook-trigger, "Limits" (read 2026-11).
 */
export const MAX_BODY_BYTES = 104_857_600;

export class BodyTooLargeError extends Error {
  override readonly name = "BodyTooLargeError";
}

/** The whole body of a request. @throws {BodyTooLargeError} above the limit. */
export const readBody = async (request: IncomingMessage, maxBytes = MAX_BODY_BYTES): Promise<Buffer> => {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  const refuseTooLarge = (size: number): void => {
    if (size > maxBytes) throw new BodyTooLargeError(`The body is over ${maxBytes} bytes.`);
  };
  refuseTooLarge(Number(request.headers["content-length"] ?? 0));
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    sizeBytes += chunk.length;
    refuseTooLarge(sizeBytes);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
};

/** A request as the worker's RPC describes it. */
export const toHttpData = (request: IncomingMessage, params: Record<string, string>, body: Buffer): HttpData => {
  const url = urlOf(request);
  return {
    method: request.method ?? "GET",
    url: url.href,
    headers: headersOf(request),
    params,
    query: queryOf(url),
    ...(body.length === 0 ? {} : { body: { bytes: body } }),
  };
};

/** The trigger metadata of an HTTP request, as of the real host; where requests are streams, the library reads it. */
export const httpMetadata = (request: IncomingMessage, params: Record<string, string>): Record<string, TypedData> => ({
  Query: { json: JSON.stringify(queryOf(urlOf(request))) },
  Headers: { json: JSON.stringify(headersOf(request)) },
  ...Object.fromEntries(Object.entries(params).map(([name, value]) => [name, { string: value }])),
});

export const urlOf = (request: IncomingMessage): URL => {
  return new URL(request.url ?? "/", `http://${request.headers.host ?? "127.0.0.1"}`);
};

const headersOf = (request: IncomingMessage): Record<string, string> =>
  Object.fromEntries(Object.entries(request.headersDistinct).map(([name, values = []]) => [name, values.join(", ")]));

/** Values of a repeated name are joined by commas, as in the real host. */
const queryOf = (url: URL): Record<string, string> =>
  Object.fromEntries(
    Array.from(new Set(url.searchParams.keys()), (name) => [name, url.searchParams.getAll(name).join(",")]),
  );

/** Sends the function's response; 204 for a function that returned nothing. */
export const sendHttpData = (response: ServerResponse, data: HttpData | undefined): void => {
  response.statusCode = data === undefined ? 204 : Number(data.statusCode ?? 200);
  for (const [name, value] of Object.entries(data?.headers ?? {})) response.setHeader(name, value);
  const cookies = data?.cookies ?? [];
  if (cookies.length > 0) response.setHeader("set-cookie", cookies.map(serializeCookie));
  response.end(data?.body?.bytes ?? data?.body?.string ?? data?.body?.json);
};

const SAME_SITE = { lax: "lax", strict: "strict", explicitNone: "none" } as const;

const serializeCookie = (cookie: HttpCookie): string => {
  const { name, value, expiresSeconds, maxAgeSeconds, domain, path, secure, httpOnly, sameSite } = cookie;
  return [
    `${name}=${encodeURIComponent(value)}`,
    expiresSeconds !== undefined && `expires=${new Date(expiresSeconds * 1000).toUTCString()}`,
    maxAgeSeconds !== undefined && `max-age=${maxAgeSeconds}`,
    domain !== undefined && `domain=${domain}`,
    path !== undefined && `path=${path}`,
    secure && "secure",
    sameSite !== undefined && `samesite=${SAME_SITE[sameSite]}`,
    httpOnly && "httponly",
  ]
    .filter(Boolean)
    .join("; ");
};
