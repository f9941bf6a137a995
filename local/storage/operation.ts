import type { IncomingHttpHeaders } from "node:http";

/** How Azure bills a request; creating a container costs what a list costs. */
export type OperationKind = "write" | "read" | "list" | "delete" | "other";

/** A Blob Storage request as Azure's own logs would name it; never carries a query string. */
export interface Operation {
  readonly name: string;
  readonly kind: OperationKind;
  /** `/container/blob`, decoded. */
  readonly path: string;
  readonly container: string;
  readonly blob: string;
  readonly ofSnapshot: boolean;
}

export interface RequestLine {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
}

type Named = readonly [name: string, kind: OperationKind];

/**
 * Names a request. Source of the names: "Storage Analytics logged operations and status messages",
 * https://learn.microsoft.com/rest/api/storageservices/storage-analytics-logged-operations-and-status-messages
 * (read 2026-11).
 */
export const operationOf = ({ method, url, headers }: RequestLine): Operation => {
  const { pathname, searchParams } = new URL(url, "http://storage");
  const [, , container = "", ...rest] = pathname.split("/").map(decoded);
  const blob = rest.join("/");
  const comp = searchParams.get("comp") ?? "";
  const scope = blob !== "" ? blobOperation : container !== "" ? containerOperation : serviceOperation;
  const [name, kind] = scope(method, comp, headers, searchParams);
  return { name, kind, path: `/${container}/${blob}`, container, blob, ofSnapshot: searchParams.has("snapshot") };
};

const decoded = (segment: string): string => {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
};

type Namer = (method: string, comp: string, headers: IncomingHttpHeaders, query: URLSearchParams) => Named;

const BLOB_OPERATIONS: Readonly<Record<string, Named>> = {
  "GET ": ["GetBlob", "read"],
  "HEAD ": ["GetBlobProperties", "other"],
  "DELETE ": ["DeleteBlob", "delete"],
  "PUT block": ["PutBlock", "write"],
  "PUT blocklist": ["PutBlockList", "write"],
  "GET blocklist": ["GetBlockList", "other"],
  "PUT appendblock": ["AppendBlock", "write"],
  "PUT page": ["PutPage", "write"],
  "GET pagelist": ["GetPageRegions", "other"],
  "PUT metadata": ["SetBlobMetadata", "other"],
  "GET metadata": ["GetBlobMetadata", "other"],
  "HEAD metadata": ["GetBlobMetadata", "other"],
  "PUT properties": ["SetBlobProperties", "other"],
  "PUT snapshot": ["SnapshotBlob", "write"],
  "PUT tier": ["SetBlobTier", "write"],
  "PUT tags": ["SetBlobTags", "other"],
  "GET tags": ["GetBlobTags", "other"],
  "PUT undelete": ["UndeleteBlob", "other"],
  "PUT copy": ["AbortCopyBlob", "other"],
};

const blobOperation: Namer = (method, comp, headers) => {
  if (comp === "lease") return leaseOperation(headers, "BlobLease");
  if (method === "PUT" && comp === "") return putOperation(headers);
  return BLOB_OPERATIONS[`${method} ${comp}`] ?? ["Unknown", "other"];
};

const putOperation = (headers: IncomingHttpHeaders): Named => {
  const isCopy = headers["x-ms-copy-source"] !== undefined && headers["x-ms-blob-type"] === undefined;
  return isCopy ? ["CopyBlob", "write"] : ["PutBlob", "write"];
};

const leaseOperation = (headers: IncomingHttpHeaders, noun: string): Named => {
  const action = String(headers["x-ms-lease-action"] ?? "");
  return [`${action.charAt(0).toUpperCase()}${action.slice(1).toLowerCase()}${noun}`, "other"];
};

const CONTAINER_OPERATIONS: Readonly<Record<string, Named>> = {
  "PUT ": ["CreateContainer", "list"],
  "DELETE ": ["DeleteContainer", "delete"],
  "GET ": ["GetContainerProperties", "other"],
  "HEAD ": ["GetContainerProperties", "other"],
  "GET list": ["ListBlobs", "list"],
  "GET blobs": ["FindBlobsByTags", "list"],
  "GET metadata": ["GetContainerMetadata", "other"],
  "PUT metadata": ["SetContainerMetadata", "other"],
  "GET acl": ["GetContainerACL", "other"],
  "PUT acl": ["SetContainerACL", "other"],
  "POST batch": ["BlobBatch", "other"],
};

const containerOperation: Namer = (method, comp, headers, query) => {
  if (comp === "lease") return leaseOperation(headers, "ContainerLease");
  // A blob in the root container has a path like a container's; only `restype` tells them apart.
  if (comp === "" && query.get("restype") !== "container") return ["Unknown", "other"];
  return CONTAINER_OPERATIONS[`${method} ${comp}`] ?? ["Unknown", "other"];
};

const SERVICE_OPERATIONS: Readonly<Record<string, Named>> = {
  "GET list": ["ListContainers", "list"],
  "GET properties": ["GetBlobServiceProperties", "other"],
  "PUT properties": ["SetBlobServiceProperties", "other"],
  "GET stats": ["GetBlobServiceStats", "other"],
  "POST userdelegationkey": ["GetUserDelegationKey", "other"],
  "GET blobs": ["FindBlobsByTags", "list"],
  "POST batch": ["BlobBatch", "other"],
};

const serviceOperation: Namer = (method, comp) => SERVICE_OPERATIONS[`${method} ${comp}`] ?? ["Unknown", "other"];
