import type { TokenCredential } from "@azure/identity";
import { BlobServiceClient, type ContainerClient } from "@azure/storage-blob";
import type { Config } from "../config.ts";

/** The storage account of the vault for one duty; a connection string, for an emulator, serves every duty. */
export const blobService = (storage: Config["storage"], credential: TokenCredential): BlobServiceClient =>
  storage.kind === "connection-string"
    ? BlobServiceClient.fromConnectionString(storage.connectionString)
    : new BlobServiceClient(storage.blobEndpoint, credential);

export const vaultContainer = (service: BlobServiceClient): ContainerClient => service.getContainerClient("vault");

/** Scratch data: plans, ledgers, reports. A lifecycle rule deletes it after a week. */
export const workContainer = (service: BlobServiceClient): ContainerClient => service.getContainerClient("work");

/** Who asked for what. The app only appends to it, and nothing deletes it. */
export const auditContainer = (service: BlobServiceClient): ContainerClient => service.getContainerClient("audit");

/** What the app remembers of each mailbox beside its vault: small blobs that change, and that nothing deletes. */
export const stateContainer = (service: BlobServiceClient): ContainerClient => service.getContainerClient("state");
