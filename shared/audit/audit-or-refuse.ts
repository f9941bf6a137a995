import type { HttpResponseInit, InvocationContext } from "@azure/functions";
import { mapBounded } from "../bounded.ts";
import { problemResponse } from "../http/problem.ts";
import type { AuditEntry, AuditLog, Series } from "./audit-log.ts";

/** Lines that are written at the same time. */
const WIDTH = 8;

/**
 * Writes down who asks for what, and why; returns 503 when some of that cannot be written, and then nothing of it may
 * start or change. Lines that were written until then stay: what they say was asked for.
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
    context.error(`The audit log does not take ${entries[0]?.event}, which is refused`, error);
    return problemResponse(
      503,
      "audit-unavailable",
      "The audit log cannot be written, so nothing was done: try again.",
    );
  }
};
