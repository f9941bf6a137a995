import type { TokenCredential } from "@azure/identity";
import { BlobServiceClient, type ContainerClient } from "@azure/storage-blob";
import type { Config } from "../config.ts";

/** The vault's storage account, for one duty. The connection string of an emulator is used for every duty. */
export const blobService = (storage: Config["storage"], credential: TokenCredential): BlobServiceClient =>
  storage.kind === "connection-string"
    ? BlobServiceClient.fromConnectionString(storage.connectionString)
    : new BlobServiceClient(storage.blobEndpoint, credential);

/** The account of personal-data packages. With an emulator it is the vault's. */
export const packageService = (storage: Config["storage"], credential: TokenCredential): BlobServiceClient =>
  storage.kind === "connection-string"
    ? BlobServiceClient.fromConnectionString(storage.connectionString)
    : new BlobServiceClient(storage.packageEndpoint, credential);

/**
 * The containers that each duty opens. The deployment gives each identity the rights to these and to no others, and
 * its check holds both to this list.
 */
export const CONTAINERS = {
  backup: ["vault", "work", "state"],
  retention: ["vault"],
  restore: ["vault", "work", "audit"],
  privacy: ["vault", "work", "audit"],
} as const;

/** Opens a container for a duty that has it. */
export const containersOf =
  <D extends keyof typeof CONTAINERS>(_duty: D, service: BlobServiceClient) =>
  (name: (typeof CONTAINERS)[D][number]): ContainerClient =>
    OPEN[name](service);

const vaultContainer = (service: BlobServiceClient): ContainerClient => service.getContainerClient("vault");

/** Scratch data: plans, ledgers, reports. The app removes it; a lifecycle rule deletes what is left after 60 days. */
const workContainer = (service: BlobServiceClient): ContainerClient => service.getContainerClient("work");

/** The audit log: who asked for what. The app only appends to it, and nothing deletes it. */
const auditContainer = (service: BlobServiceClient): ContainerClient => service.getContainerClient("audit");

/** State of each mailbox beside its vault: small blobs that change, and that nothing deletes. */
const stateContainer = (service: BlobServiceClient): ContainerClient => service.getContainerClient("state");

const OPEN = { vault: vaultContainer, work: workContainer, audit: auditContainer, state: stateContainer };
