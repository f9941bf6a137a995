import { GraphError, hasCode } from "./graph-error.ts";

/**
 * Whether Graph has lost the state of a delta round, so that the round must begin anew. Seen as 410 in several
 * variants, on deltaLinks and on nextLinks; documented as "40X with syncStateNotFound".
 */
export const isDeltaStateLost = (error: unknown): boolean =>
  (error instanceof GraphError && error.status === 410) ||
  hasCode(error, "SyncStateNotFound", "SyncStateInvalid", "ResyncRequired");

/** Whether Graph refuses delta because the mailbox is over its quota; listing still works. Seen on the mail API. */
export const isOverQuota = (error: unknown): boolean => hasCode(error, "ErrorQuotaExceeded");
