import { BlobServiceClient } from "@azure/storage-blob";
import type { Stack } from "../local/stack/stack.ts";

const isHead = (name: string): boolean => name.endsWith("/head.json");

/** Bytes of all blobs of the vault but the heads, which alone change, by name. */
export const vaultBlobs = async ({ connectionString }: Stack): Promise<ReadonlyMap<string, number>> => {
  const vault = BlobServiceClient.fromConnectionString(connectionString).getContainerClient("vault");
  const stored = new Map<string, number>();
  for await (const { name, properties } of vault.listBlobsFlat())
    if (!isHead(name)) stored.set(name, properties.contentLength ?? 0);
  return stored;
};

/** Bytes of the blobs that have come since. */
export const bytesSince = async (stack: Stack, before: ReadonlyMap<string, number>): Promise<number> =>
  [...(await vaultBlobs(stack))].filter(([name]) => !before.has(name)).reduce((total, [, bytes]) => total + bytes, 0);
