import { ContainerClient, RestError } from "@azure/storage-blob";
import { GraphFailure } from "../errors.ts";

/** @doc In Microsoft's service: the name of the blob with which it tries a container out. */
export const REQUEST_INFO = "RequestInfo.json";

const MESSAGES = {
  SharedAccessSignatureTokenInvalid: "Storage destination does not include SAS credentials.",
  StorageLocationNotServiceSAS: "Storage destination needs to have a Service SAS, not an Account SAS.",
  StorageLocationNotAzureBlob: "Storage destination must be an azure blob container.",
  StorageLocationShouldNotAllowListAccess: "Storage destination should not allow list access.",
  StorageLocationNeedsWriteAddPermissions: "Storage destination does not have write/add permissions.",
  StorageLocationAlreadyUsed:
    "Storage destination has already been used for an export. " +
    "If this is not true, delete 'RequestInfo.json' from the container and try again.",
  StorageLocationShouldSupportAppendBlobs:
    "Storage destination should support append blobs. You might be using premium storage.",
  StorageLocationShouldNotAllowReadAccess: "Storage destination should not allow read access.",
  StorageLocationInvalid: "Storage Location is not valid.",
};

const refuse = (code: keyof typeof MESSAGES): GraphFailure => new GraphFailure(400, code, MESSAGES[code]);

/** A client that says at once what the storage says. */
export const containerAt = (storageLocation: string): ContainerClient =>
  new ContainerClient(storageLocation, undefined, { retryOptions: { maxTries: 1 } });

/**
 * Tries a container out as Microsoft's service does, in its order, and leaves `RequestInfo.json` there. Its checks are
 * known from that service's code; @observed one of them, StorageLocationAlreadyUsed, through Graph; @guess the others
 * likewise.
 */
export const checkStorage = async (storageLocation: unknown, requestInfo: string): Promise<void> => {
  const url = sasUrl(storageLocation);
  if (url.searchParams.has("ss")) throw refuse("StorageLocationNotServiceSAS");
  if (containerSegments(url).length !== 1) throw refuse("StorageLocationNotAzureBlob");

  const container = containerAt(url.href);
  if (await isAllowed(() => container.listBlobsFlat().byPage({ maxPageSize: 1 }).next()))
    throw refuse("StorageLocationShouldNotAllowListAccess");
  await writeRequestInfo(container, requestInfo);
  if (await isAllowed(() => container.getBlobClient(REQUEST_INFO).downloadToBuffer())) {
    // What it wrote stays unless it may be removed.
    await isAllowed(() => container.getBlobClient(REQUEST_INFO).delete());
    throw refuse("StorageLocationShouldNotAllowReadAccess");
  }
};

const sasUrl = (storageLocation: unknown): URL => {
  const text = typeof storageLocation === "string" ? storageLocation : "";
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || !url.searchParams.has("sig"))
    throw refuse("SharedAccessSignatureTokenInvalid");
  return url;
};

/** A storage emulator has no host of its own for each account: the account is the first segment. */
const containerSegments = ({ hostname, pathname }: URL): string[] => {
  const segments = pathname.split("/").filter((segment) => segment !== "");
  const isEmulator = hostname === "localhost" || /^[\d.]+$/.test(hostname);
  return isEmulator ? segments.slice(1) : segments;
};

const writeRequestInfo = async (container: ContainerClient, requestInfo: string): Promise<void> => {
  const blob = container.getAppendBlobClient(REQUEST_INFO);
  const bytes = Buffer.from(requestInfo);
  try {
    await blob.create({ conditions: { ifNoneMatch: "*" } });
    await blob.appendBlock(bytes, bytes.length);
  } catch (error) {
    throw refuse(codeFor(error));
  }
};

const codeFor = (error: unknown): keyof typeof MESSAGES => {
  if (!(error instanceof RestError)) return "StorageLocationInvalid";
  const code = error.response?.headers.get("x-ms-error-code") ?? error.code;
  if (error.statusCode === 403) return "StorageLocationNeedsWriteAddPermissions";
  if (code === "BlobAlreadyExists" || code === "UnauthorizedBlobOverwrite") return "StorageLocationAlreadyUsed";
  if (code === "BlobTypeNotSupported") return "StorageLocationShouldSupportAppendBlobs";
  return "StorageLocationInvalid";
};

/** Whether the storage did it. @throws what is no refusal. */
const isAllowed = async (act: () => Promise<unknown>): Promise<boolean> => {
  try {
    await act();
    return true;
  } catch (error) {
    if (!(error instanceof RestError)) throw error;
    if (error.statusCode === undefined) throw refuse("StorageLocationInvalid");
    return false;
  }
};
