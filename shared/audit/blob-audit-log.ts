import { type AppendBlobClient, type ContainerClient, RestError } from "@azure/storage-blob";
import { type AuditLog, auditBlobName, auditLine } from "./audit-log.ts";

/**
 * The audit log as append blobs: one a month, and another one when that is full. Each append is one block, so those of
 * several processes do not mix. Source: learn.microsoft.com/rest/api/storageservices/append-block (at most 50,000
 * blocks a blob).
 */
export const blobAuditLog = (container: ContainerClient): AuditLog => ({
  append: async (series, entry) => {
    const line = Buffer.from(auditLine(series, entry));
    for (let number = 1; ; number += 1) {
      const blob = container.getAppendBlobClient(auditBlobName(series, entry.at, number));
      if ((await append(blob, line)) === "appended") return;
    }
  },
});

const append = async (blob: AppendBlobClient, line: Buffer): Promise<"appended" | "full"> => {
  try {
    await blob.appendBlock(line, line.length);
    return "appended";
  } catch (error) {
    if (hasCode(error, "BlockCountExceedsLimit")) return "full";
    if (!hasCode(error, "BlobNotFound")) throw error;
  }
  try {
    await blob.createIfNotExists();
  } catch (error) {
    // Who may only add blobs is refused, before the condition is looked at, when another process has made it meanwhile.
    if (!hasCode(error, "AuthorizationPermissionMismatch")) throw error;
  }
  await blob.appendBlock(line, line.length);
  return "appended";
};

const hasCode = (error: unknown, code: string): boolean => error instanceof RestError && error.code === code;
