import type { TokenCredential } from "@azure/identity";
import { BlobServiceClient, type ContainerClient } from "@azure/storage-blob";
import type { Config } from "../config.ts";

/** The vault's storage account, for one duty. The connection string of an emulator is used for every duty. */
export const blobService = (storage: Config["storage"], credential: TokenCredential): BlobServiceClient =>
  storage.kind === "connection-string"
    ? BlobServiceClient.fromConnectionString(storage.connectionString)
    : new BlobServiceClient(storage.blobEndpoint, credential);

export const vaultContainer = (service: BlobServiceClient): ContainerClient => service.getContainerClient("vault");

/** Scratch data: plans, ledgers, reports. The app removes it; a lifecycle rule deletes what is left after 60 days. */
export const workContainer = (service: BlobServiceClient): ContainerClient => service.getContainerClient("work");

/** The audit log: who asked for what. The app only appends to it, and nothing deletes it. */
export const auditContainer = (service: BlobServiceClient): ContainerClient => service.getContainerClient("audit");

/** State of each mailbox beside its vault: small blobs that change, and that nothing deletes. */
export const stateContainer = (service: BlobServiceClient): ContainerClient => service.getContainerClient("state");
