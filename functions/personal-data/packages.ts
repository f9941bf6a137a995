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
  /** Makes a container that nobody may read without credentials, unless it is there. */
  make(name: string): Promise<void>;
  /**
   * A URL whose holder may write into the container for a while, and do nothing else: neither read, nor list, nor delete.
   * It is a credential: it goes to Graph and nowhere else.
   */
  writeOnlyUrl(name: string): Promise<string>;
  open(name: string): Blobs;
  /** The containers of an export that are there, oldest first. */
  find(exportId: RunId): Promise<string[]>;
  remove(name: string): Promise<void>;
}

/**
 * Create and write, as Microsoft's service wants to make append blobs, and add, which write covers anyway but which its
 * check names. Its checks refuse a container that the URL can read or list.
 */
const WRITE_ONLY = ContainerSASPermissions.from({ add: true, create: true, write: true });

/** Clocks of two companies differ. */
const EARLIER_MS = 5 * 60_000;

/** Packages in a storage account: signed with the app's identity, or with the account's key where that is its credential. */
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
    const times = { startsOn: new Date(now - EARLIER_MS), expiresOn: new Date(now + sasMs) };
    const wishes = { permissions: WRITE_ONLY, ...times, ...transportOf(container) };
    if (kind === "connection-string") return container.generateSasUrl(wishes);
    const key = await service.getUserDelegationKey(times.startsOn, times.expiresOn);
    return container.generateUserDelegationSasUrl(wishes, key);
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

/** Only over TLS, but for a storage emulator, which has none. */
const transportOf = ({ url }: ContainerClient): { protocol?: SASProtocol } =>
  url.startsWith("https:") ? { protocol: SASProtocol.Https } : {};
