import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import { DefaultAzureCredential } from "@azure/identity";
import { ContainerClient } from "@azure/storage-blob";
import { azureBlobs } from "../shared/storage/azure-blobs.ts";
import type { Blobs } from "../shared/storage/blobs.ts";
import { directoryBlobs } from "./directory-blobs.ts";
import { UsageError } from "./usage.ts";

const isUrl = (place: string): boolean => /^https?:\/\//i.test(place);

/**
 * The blobs of a folder, or of a container by its URL.
 *
 * @throws {UsageError} for a folder that is not there, and for a URL that names no container.
 */
export const openPlace = async (place: string, { mayBeNew = false } = {}): Promise<Blobs> => {
  if (isUrl(place)) return azureBlobs(containerAt(place));
  const found = await stat(place).catch(() => undefined);
  if (found === undefined ? !mayBeNew : !found.isDirectory()) throw new UsageError(`${place} is no folder`);
  return directoryBlobs(resolve(place));
};

const containerAt = (place: string): ContainerClient => {
  const url = URL.canParse(place) ? new URL(place) : undefined;
  if (url === undefined || url.pathname === "/") throw new UsageError("The URL should be that of a container");
  return url.searchParams.has("sig")
    ? new ContainerClient(place)
    : new ContainerClient(place, new DefaultAzureCredential());
};

/** A line without the SAS of any URL in it. */
export const withoutSecrets = (line: string): string => line.replaceAll(/[?&]?[^\s"'?]*\bsig=[^\s"']*/gi, "?...");
