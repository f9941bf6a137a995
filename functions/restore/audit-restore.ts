import type { HttpResponseInit, InvocationContext } from "@azure/functions";
import type { AuditLog, RestoreRequested } from "../../shared/audit/audit-log.ts";
import { problem } from "../../shared/http/problem.ts";

/** Writes down who restores what, and why; 503 when that cannot be written, and then nothing may start. */
export const auditRestore = async (
  audit: AuditLog,
  context: Pick<InvocationContext, "error">,
  entry: RestoreRequested,
): Promise<HttpResponseInit | undefined> => {
  try {
    await audit.restoreRequested(entry);
    return undefined;
  } catch (error) {
    context.error(`The audit log does not take ${entry.job}, which is not started`, error);
    return problem(503, "audit-unavailable", "The audit log cannot be written, so nothing was started: try again.");
  }
};
