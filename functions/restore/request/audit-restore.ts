import type { HttpResponseInit, InvocationContext } from "@azure/functions";
import type { AuditLog, RestoreRequested } from "../../../shared/audit/audit-log.ts";
import { mapBounded } from "../../../shared/bounded.ts";
import { problem } from "../../../shared/http/problem.ts";

/** Lines that are written at the same time. */
const WIDTH = 8;

/**
 * Writes down who restores what, and why; 503 when some of that cannot be written, and then nothing may start. What was
 * written of a list until then stays: it was asked for.
 */
export const auditRestores = async (
  audit: AuditLog,
  context: Pick<InvocationContext, "error">,
  entries: readonly RestoreRequested[],
): Promise<HttpResponseInit | undefined> => {
  try {
    await mapBounded(entries, WIDTH, (entry) => audit.restoreRequested(entry));
    return undefined;
  } catch (error) {
    const [first] = entries;
    context.error(`The audit log does not take ${first?.list ?? first?.job}, which is not started`, error);
    return problem(503, "audit-unavailable", "The audit log cannot be written, so nothing was started: try again.");
  }
};
