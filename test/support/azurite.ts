import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BlobServiceClient, type ContainerClient } from "@azure/storage-blob";
import { inject } from "vitest";
import type { TestProject } from "vitest/node";
import { connectionString } from "../../local/storage/account.ts";
import { startAzurite } from "../../local/storage/azurite.ts";

declare module "vitest" {
  interface ProvidedContext {
    azurite: string;
  }
}

/** For `globalSetup` of the vitest configuration: one Azurite for the whole run, in a directory of its own. */
export const setup = async ({ provide }: TestProject): Promise<() => Promise<void>> => {
  const dir = await mkdtemp(join(tmpdir(), "azurite-"));
  const azurite = await startAzurite({ dir, inMemory: true });
  provide("azurite", connectionString(azurite.url));
  return async () => {
    await azurite.stop();
    await rm(dir, { recursive: true });
  };
};

/** The run's Azurite, for any test; `freshContainer` gives an empty container, and nothing needs to be cleaned up. */
export const useAzurite = () => {
  const connection = inject("azurite");
  const service = BlobServiceClient.fromConnectionString(connection);
  const freshContainer = async (): Promise<ContainerClient> => {
    const container = service.getContainerClient(`test-${randomUUID()}`);
    await container.create();
    return container;
  };
  return { connectionString: connection, freshContainer };
};
