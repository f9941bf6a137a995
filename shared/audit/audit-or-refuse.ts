import type { HttpResponseInit, InvocationContext } from "@azure/functions";
import { mapBounded } from "../bounded.ts";
import { problemResponse } from "../http/problem.ts";
import type { AuditEntry, AuditLog, Series } from "./audit-log.ts";

/** Lines that are written at the same time. */
const WIDTH = 8;

/**
 * Writes entries to the audit log. Returns a 503 when one cannot be written: then nothing may start or change. Entries
 * that were written before it stay: those requests were made.
 */
export const auditOrRefuse = async <S extends Series>(
  audit: AuditLog,
  context: Pick<InvocationContext, "error">,
  series: S,
  entries: readonly AuditEntry<S>[],
): Promise<HttpResponseInit | undefined> => {
  try {
    await mapBounded(entries, WIDTH, (entry) => audit.append(series, entry));
    return undefined;
  } catch (error) {
    context.error(`The audit log cannot be written, so ${entries[0]?.event} is refused`, error);
    return problemResponse(
      503,
      "audit-unavailable",
      "The audit log cannot be written, so nothing was done: try again.",
    );
  }
};
