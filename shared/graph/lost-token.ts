import { GraphError, hasCode } from "./graph-error.ts";

/**
 * Whether Graph has forgotten where a delta round stood, so that it must begin anew. Seen as 410 in several variants,
 * on deltaLinks and on nextLinks; documented as "40X with syncStateNotFound".
 */
export const isLostState = (error: unknown): boolean =>
  (error instanceof GraphError && error.status === 410) ||
  hasCode(error, "SyncStateNotFound", "SyncStateInvalid", "ResyncRequired");

/** Whether a full mailbox refuses delta; listing still works. Seen on the mail API. */
export const isOverQuota = (error: unknown): boolean => hasCode(error, "ErrorQuotaExceeded");
