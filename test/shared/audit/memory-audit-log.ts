import {
  type AuditLine,
  type AuditLog,
  auditBlobName,
  type PersonalDataAuditLog,
  personalDataLine,
  restoreLine,
  type VaultAuditLog,
  vaultLine,
} from "../../../shared/audit/audit-log.ts";

/** An audit log in memory, by blob name, that keeps the same contract as the real one. */
export const memoryAuditLog = (): AuditLog &
  VaultAuditLog &
  PersonalDataAuditLog & { readonly blobs: Map<string, string> } => {
  const blobs = new Map<string, string>();
  const write = (line: AuditLine): void => {
    const name = auditBlobName(line, 1);
    blobs.set(name, (blobs.get(name) ?? "") + line.text);
  };
  return {
    blobs,
    restoreRequested: async (entry) => write(restoreLine(entry)),
    vaultChanged: async (entry) => write(vaultLine(entry)),
    personalDataRequested: async (entry) => write(personalDataLine(entry)),
  };
};
