import type { HttpCookie, HttpData, InvocationResult, NamedData, TypedData } from "../contract.ts";
import type { RpcHttpCookie, RpcHttpData, RpcInvocationResponse, RpcTypedData } from "./core-types.ts";

/** The library's response in the host's shape: a number is JSON like any other value, and no value is absent. */
export const toInvocationResult = (response: RpcInvocationResponse): InvocationResult => {
  const returnValue = toTypedData(response.returnValue);
  const outputs = (response.outputData ?? []).flatMap(({ name, data }): NamedData[] => {
    const value = toTypedData(data);
    return value === undefined ? [] : [{ name, data: value }];
  });
  return returnValue === undefined ? { outputs } : { returnValue, outputs };
};

const toTypedData = (data: RpcTypedData | null | undefined): TypedData | undefined => {
  if (data === null || data === undefined) return undefined;
  if (data.http !== undefined) return { http: toHttpData(data.http) };
  if (data.bytes !== undefined) return { bytes: data.bytes };
  if (data.string !== undefined) return { string: data.string };
  const number = data.int ?? data.double;
  if (number !== undefined) return { json: JSON.stringify(number) };
  // JSON.stringify has no text for a function or a symbol: such a value is absent, as in any JSON.
  return data.json === undefined ? undefined : { json: data.json };
};

const toHttpData = (http: RpcHttpData): HttpData => {
  const body = toTypedData(http.body);
  return {
    statusCode: http.statusCode ?? "200",
    headers: http.headers ?? {},
    cookies: (http.cookies ?? []).map(toCookie),
    enableContentNegotiation: http.enableContentNegotiation ?? false,
    ...(body === undefined ? {} : { body }),
  };
};

const toCookie = (cookie: RpcHttpCookie): HttpCookie => {
  const { name, value, sameSite } = cookie;
  return {
    name,
    value,
    ...(cookie.domain && { domain: cookie.domain.value }),
    ...(cookie.path && { path: cookie.path.value }),
    ...(cookie.expires && { expiresSeconds: cookie.expires.value.seconds }),
    ...(cookie.maxAge && { maxAgeSeconds: cookie.maxAge.value }),
    ...(cookie.secure && { secure: cookie.secure.value }),
    ...(cookie.httpOnly && { httpOnly: cookie.httpOnly.value }),
    ...(sameSite !== undefined && sameSite !== "none" && { sameSite }),
  };
};
