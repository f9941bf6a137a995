import { GraphError, hasCode, isFull } from "../../../shared/graph/graph-error.ts";
import { outageOf } from "../../../shared/outage.ts";

/** Statuses with which the import service refuses an item for good. */
const REJECTED: readonly number[] = [400, 404, 409, 413, 422];

/** Statuses that say no more than that an answer did not come in time. */
const UNANSWERED: readonly number[] = [0, 502, 504];

/**
 * What a failed import means. `rejected`: the item is refused for good. `full`: the mailbox or folder takes nothing.
 * `forbidden`: this session may not import the item. `session-ended`: it may import nothing. `not-sent`: the work was
 * told to send nothing new. `throttled`: nothing was imported, and will not be for a while. `away`: the service takes
 * nothing for a while; whether it took this item is not known. `unanswered`: not known either, and it may be the item's
 * fault or the service's. `unclear`: not known, and about this item.
 */
export type Refusal =
  | { readonly is: "rejected"; readonly code: string }
  | { readonly is: "full" | "forbidden"; readonly code: string }
  | { readonly is: "throttled"; readonly askedMs: number }
  | { readonly is: "session-ended" | "not-sent" }
  | Unanswered;

/** It is not known whether the import made an item. */
export type Unanswered = { readonly is: "away"; readonly askedMs: number } | { readonly is: "unanswered" | "unclear" };

/** Reads the code first, since Exchange sends one code under several statuses. `undefined`: no refusal of an import. */
export const refusalOf = (error: unknown): Refusal | undefined => {
  if (!(error instanceof GraphError)) return undefined;
  const { status } = error;
  const code = error.code || `status-${status}`;
  const askedMs = error.retryAfterMs ?? 0;
  if (isFull(error)) return { is: "full", code };
  if (status === 429) return { is: "throttled", askedMs };
  if (askedMs > 0) return { is: "away", askedMs };
  if (status === 401 || (status === 403 && hasCode(error, "InvalidImportSession"))) return { is: "session-ended" };
  if (status === 403) return { is: "forbidden", code };
  if (REJECTED.includes(status)) return { is: "rejected", code };
  if (UNANSWERED.includes(status)) return { is: "unanswered" };
  return outageOf(error) === undefined ? { is: "unclear" } : { is: "away", askedMs };
};

/** Whether an import that failed so is known to have made no item. An error inside a success is no such proof. */
export const hasImportedNothing = (error: unknown, refusal: Refusal): boolean =>
  error instanceof GraphError &&
  error.status >= 400 &&
  ["throttled", "session-ended", "forbidden", "full"].includes(refusal.is);
