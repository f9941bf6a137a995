import { isRestError } from "@azure/core-rest-pipeline";
import { GraphError } from "./graph/graph-error.ts";
import { retryAfterMs } from "./graph/retry-after.ts";
import { StalledDownloadError } from "./storage/steady-download.ts";

/**
 * Statuses of a service that takes no requests for a while; 0 stands for no answer. 500 is not one of them: it may be
 * about what was asked for. Source: learn.microsoft.com/graph/errors.
 */
const AWAY: readonly number[] = [0, 408, 429, 502, 503, 504, 509];

/** Storage's own statuses of that kind. Source: learn.microsoft.com/rest/api/storageservices, common error codes. */
const STORAGE_AWAY: readonly number[] = [408, 429, 500, 502, 503, 504];

/** Graph or storage cannot be reached, or asks to be left alone: the work goes on once that has passed. */
export interface Outage {
  /** The wait that the service asks for; 0 when it names none. */
  readonly askedMs: number;
}

/** The outage that an error tells of; `undefined` for an error of another kind. */
export const outageOf = (error: unknown): Outage | undefined => {
  if (error instanceof GraphError) {
    const { status, retryAfterMs: askedMs = 0 } = error;
    return askedMs > 0 || AWAY.includes(status) ? { askedMs } : undefined;
  }
  if (isRestError(error)) {
    if (error.statusCode !== undefined && !STORAGE_AWAY.includes(error.statusCode)) return undefined;
    return { askedMs: retryAfterMs(error.response?.headers.get("retry-after"), Date.now()) ?? 0 };
  }
  const isBrokenOff = error instanceof Error && error.name === "AbortError";
  return isBrokenOff || error instanceof StalledDownloadError ? { askedMs: 0 } : undefined;
};
