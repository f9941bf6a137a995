import { randomInt } from "node:crypto";
import { BlobServiceClient } from "@azure/storage-blob";
import { packageName } from "../../../functions/personal-data/package-names.ts";
import { azurePackages, type Packages } from "../../../functions/personal-data/packages.ts";
import type { StartOptions } from "../../../local/graph/emulator.ts";
import { type RunId, runId } from "../../../shared/contracts/ids.ts";
import type { Blobs } from "../../../shared/storage/blobs.ts";
import { memoryBlobs } from "../../shared/storage/memory-blobs.ts";
import { useAzurite } from "../../support/azurite.ts";
import { aMailboxInGraph } from "../kit.ts";

/** An id that no other test has: containers of a run share one storage. */
export const anExportId = (): RunId =>
  runId(
    new Date(),
    randomInt(2 ** 32)
      .toString(16)
      .padStart(8, "0"),
  );

export const aPackageName = (): string => packageName(anExportId());

/** Packages in memory, as far as nobody writes to them from outside. */
export const memoryPackages = (): Packages & { readonly containers: Map<string, ReturnType<typeof memoryBlobs>> } => {
  const containers = new Map<string, ReturnType<typeof memoryBlobs>>();
  const gone: Blobs = memoryBlobs();
  return {
    containers,
    make: async (name) => {
      if (!containers.has(name)) containers.set(name, memoryBlobs());
    },
    writeOnlyUrl: async (name) => `https://vault.blob.core.windows.net/${name}?sig=secret`,
    open: (name) => containers.get(name) ?? gone,
    find: async (exportId) =>
      [...containers.keys()].filter((name) => name.startsWith(packageName(exportId))).toSorted(),
    remove: async (name) => {
      containers.delete(name);
    },
  };
};

/** A person in a directory, whose exports move on only when they are told to, and real containers for them. */
export const aPerson = async (settings: StartOptions["settings"] = {}) => {
  const kit = await aMailboxInGraph(
    { items: 0 },
    { settings: { ...settings, behaviours: { exportStepMs: 0, ...settings?.behaviours } } },
  );
  const service = BlobServiceClient.fromConnectionString(useAzurite().connectionString);
  const packages = azurePackages(service, { kind: "connection-string", sasMs: 3_600_000 });
  const step = (steps: number) => kit.admin["step-exports"]({ steps });
  return { ...kit, userId: kit.mailbox.userId, packages, service, step };
};
