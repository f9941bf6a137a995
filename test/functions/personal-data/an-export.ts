import { randomInt } from "node:crypto";
import { packageName } from "../../../functions/personal-data/package-names.ts";
import type { Packages } from "../../../functions/personal-data/packages.ts";
import { type RunId, runId } from "../../../shared/contracts/ids.ts";
import type { Blobs } from "../../../shared/storage/blobs.ts";
import { memoryBlobs } from "../../shared/storage/memory-blobs.ts";

/** An id that no other test has: containers of a run share one storage. */
export const anExportId = (): RunId =>
  runId(
    new Date(),
    randomInt(2 ** 32)
      .toString(16)
      .padStart(8, "0"),
  );

export const aPackageName = (): string => packageName(anExportId());

/** Packages in memory, for tests that write through no URL. */
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
