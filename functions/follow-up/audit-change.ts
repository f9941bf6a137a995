import type { HttpResponseInit, InvocationContext } from "@azure/functions";
import type { VaultAuditLog, VaultChange } from "../../shared/audit/audit-log.ts";
import { problem } from "../../shared/http/problem.ts";

/** Writes down who lets what be kept or removed; 503 when that cannot be written, and then nothing may change. */
export const auditChange = async (
  audit: VaultAuditLog,
  context: Pick<InvocationContext, "error">,
  entry: VaultChange,
): Promise<HttpResponseInit | undefined> => {
  try {
    await audit.vaultChanged(entry);
    return undefined;
  } catch (error) {
    context.error(`The audit log does not take a change to ${entry.mailbox}, which is not made`, error);
    return problem(503, "audit-unavailable", "The audit log cannot be written, so nothing was changed: try again.");
  }
};
