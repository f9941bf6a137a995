import { type AppendBlobClient, type ContainerClient, RestError } from "@azure/storage-blob";
import {
  type AuditLine,
  type AuditLog,
  auditBlobName,
  type PersonalDataAuditLog,
  personalDataLine,
  restoreLine,
  type VaultAuditLog,
  vaultLine,
} from "./audit-log.ts";

/**
 * The audit log as append blobs, one a month and another whenever one is full. Appends of several processes do not mix:
 * each is one block. Source: learn.microsoft.com/rest/api/storageservices/append-block (at most 50,000 blocks a blob).
 */
export const blobAuditLog = (container: ContainerClient): AuditLog & VaultAuditLog & PersonalDataAuditLog => {
  const write = async (line: AuditLine): Promise<void> => {
    const bytes = Buffer.from(line.text);
    for (let number = 1; ; number += 1) {
      const blob = container.getAppendBlobClient(auditBlobName(line, number));
      if ((await append(blob, bytes)) === "appended") return;
    }
  };
  return {
    restoreRequested: async (entry) => write(restoreLine(entry)),
    vaultChanged: async (entry) => write(vaultLine(entry)),
    personalDataRequested: async (entry) => write(personalDataLine(entry)),
  };
};

const append = async (blob: AppendBlobClient, line: Buffer): Promise<"appended" | "full"> => {
  try {
    await blob.appendBlock(line, line.length);
    return "appended";
  } catch (error) {
    if (hasCode(error, "BlockCountExceedsLimit")) return "full";
    if (!hasCode(error, "BlobNotFound")) throw error;
  }
  await blob.createIfNotExists();
  await blob.appendBlock(line, line.length);
  return "appended";
};

const hasCode = (error: unknown, code: string): boolean => error instanceof RestError && error.code === code;
