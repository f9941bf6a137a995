import { type AuditLog, auditBlobName, auditLine } from "../../../shared/audit/audit-log.ts";

/** An audit log in memory, by blob name, with the contract of the real one. */
export const memoryAuditLog = (): AuditLog & { readonly blobs: Map<string, string> } => {
  const blobs = new Map<string, string>();
  return {
    blobs,
    append: async (series, entry) => {
      const line = auditLine(series, entry);
      const name = auditBlobName(series, entry.at, 1);
      blobs.set(name, (blobs.get(name) ?? "") + line);
    },
  };
};
