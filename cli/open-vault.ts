import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import { DefaultAzureCredential } from "@azure/identity";
import { ContainerClient } from "@azure/storage-blob";
import { azureBlobs } from "../shared/storage/azure-blobs.ts";
import type { Blobs } from "../shared/storage/blobs.ts";
import { directoryBlobs } from "./directory-blobs.ts";
import { UsageError } from "./usage.ts";

const isUrl = (location: string): boolean => /^https?:\/\//i.test(location);

/**
 * The blobs of a folder, or of a container by its URL.
 *
 * @throws {UsageError} for a folder that does not exist, and for a URL that is not that of a container.
 */
export const openVault = async (location: string, { mayBeNew = false } = {}): Promise<Blobs> => {
  if (isUrl(location)) return azureBlobs(containerAt(location));
  const found = await stat(location).catch(() => undefined);
  if (found === undefined ? !mayBeNew : !found.isDirectory()) throw new UsageError(`${location} is not a folder`);
  return directoryBlobs(resolve(location));
};

const containerAt = (location: string): ContainerClient => {
  const url = URL.canParse(location) ? new URL(location) : undefined;
  if (url === undefined || url.pathname === "/") throw new UsageError("The URL should be that of a container");
  return url.searchParams.has("sig")
    ? new ContainerClient(location)
    : new ContainerClient(location, new DefaultAzureCredential());
};

/** A line without the SAS of any URL in it. */
export const redactSas = (line: string): string => line.replaceAll(/[?&]?[^\s"'?]*\bsig=[^\s"']*/gi, "?...");
