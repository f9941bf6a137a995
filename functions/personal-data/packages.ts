import {
  type BlobServiceClient,
  type ContainerClient,
  ContainerSASPermissions,
  SASProtocol,
} from "@azure/storage-blob";
import type { Config } from "../../shared/config.ts";
import type { RunId } from "../../shared/contracts/ids.ts";
import { azureBlobs } from "../../shared/storage/azure-blobs.ts";
import type { Blobs } from "../../shared/storage/blobs.ts";
import { packageName } from "./package-names.ts";

/** The containers of personal-data exports. */
export interface Packages {
  /** Creates the container unless it exists. Nobody may read it without credentials. */
  make(name: string): Promise<void>;
  /**
   * A URL that permits to write into the container for a while, but not to read, list or delete. It is a credential: it
   * goes to Graph and nowhere else.
   */
  writeOnlyUrl(name: string): Promise<string>;
  open(name: string): Blobs;
  /** The existing containers of an export, oldest first. */
  find(exportId: RunId): Promise<string[]>;
  remove(name: string): Promise<void>;
}

/**
 * Create and write, since Microsoft's service makes append blobs; and add, which write covers but which its check
 * names. The service refuses a URL that can read or list the container.
 */
const WRITE_ONLY = ContainerSASPermissions.from({ add: true, create: true, write: true });

/** The clocks of Microsoft and of this app may differ. */
const CLOCK_SKEW_MS = 5 * 60_000;

/** Packages in a storage account. URLs are signed with the app's identity, or with the account's key if it has one. */
export const azurePackages = (
  service: BlobServiceClient,
  { kind, sasMs }: { readonly kind: Config["storage"]["kind"]; readonly sasMs: number },
): Packages => ({
  make: async (name) => {
    await service.getContainerClient(name).createIfNotExists();
  },

  writeOnlyUrl: async (name) => {
    const container = service.getContainerClient(name);
    const now = Date.now();
    const times = { startsOn: new Date(now - CLOCK_SKEW_MS), expiresOn: new Date(now + sasMs) };
    const options = { permissions: WRITE_ONLY, ...times, ...protocolOf(container) };
    if (kind === "connection-string") return container.generateSasUrl(options);
    const key = await service.getUserDelegationKey(times.startsOn, times.expiresOn);
    return container.generateUserDelegationSasUrl(options, key);
  },

  open: (name) => azureBlobs(service.getContainerClient(name)),

  find: async (exportId) => {
    const names: string[] = [];
    for await (const { name } of service.listContainers({ prefix: packageName(exportId) })) names.push(name);
    return names.toSorted();
  },

  remove: async (name) => {
    await service.getContainerClient(name).deleteIfExists();
  },
});

/** TLS only, except for a storage emulator without TLS. */
const protocolOf = ({ url }: ContainerClient): { protocol?: SASProtocol } =>
  url.startsWith("https:") ? { protocol: SASProtocol.Https } : {};
