import type { Readable } from "node:stream";
import { type BlobClient, type ContainerClient, RestError } from "@azure/storage-blob";
import { type Blobs, type Created, type CreateOptions, collect } from "./blobs.ts";
import { IDLE_MS, type OpenDownload, steadyDownload } from "./steady-download.ts";

const ONLY_IF_ABSENT = { ifNoneMatch: "*" };

/** One container of Blob Storage. The client itself repeats lost requests. */
export const azureBlobs = (container: ContainerClient, { idleMs = IDLE_MS } = {}): Blobs => {
  const blob = (name: string) => container.getBlockBlobClient(name);

  return {
    create: async (name, body, options) => {
      try {
        const request = { ...headers(options), conditions: ONLY_IF_ABSENT };
        return await created(blob(name).upload(body, body.byteLength, request));
      } catch (error) {
        // Who may only add blobs is refused, before the condition is looked at, when the blob is there.
        if (hasCode(error, "AuthorizationPermissionMismatch") && (await blob(name).exists())) return "exists";
        throw error;
      }
    },

    stage: (name, blockId, body) => created(blob(name).stageBlock(blockId, body, body.byteLength)),

    commit: async (name, blockIds, options) => {
      try {
        const request = { ...headers(options), conditions: ONLY_IF_ABSENT };
        return await created(blob(name).commitBlockList([...blockIds], request));
      } catch (error) {
        // Another writer's commit discards our staged blocks, and the block list is checked before the condition.
        if (hasCode(error, "InvalidBlockList") && (await blob(name).exists())) return "exists";
        throw error;
      }
    },

    info: (name) =>
      unlessAbsent(async () => {
        const { contentLength = 0, metadata = {} } = await blob(name).getProperties();
        return { bytes: contentLength, metadata };
      }),

    read: (name, range) =>
      unlessAbsent(async () => {
        if (range?.length === 0) return nothing();
        try {
          const { offset = 0, length } = range ?? {};
          return (await steadyDownload(downloadOf(blob(name)), { offset, length }, idleMs)).body;
        } catch (error) {
          if (hasCode(error, "InvalidRange")) return nothing();
          throw error;
        }
      }),

    readWhole: (name) =>
      unlessAbsent(async () => {
        const { body, etag, at } = await steadyDownload(downloadOf(blob(name)), { offset: 0 }, idleMs);
        return { body: await collect(body), etag, ...(at !== undefined && { at }) };
      }),

    replace: async (name, body, etag) => {
      const conditions = etag === undefined ? ONLY_IF_ABSENT : { ifMatch: etag };
      const request = { ...headers({ contentType: "application/json" }), conditions };
      return (await created(blob(name).upload(body, body.byteLength, request))) === "created";
    },

    remove: async (name, etag) => {
      const conditions = etag === undefined ? {} : { ifMatch: etag };
      try {
        return (await blob(name).deleteIfExists({ conditions })).succeeded ? "removed" : "absent";
      } catch (error) {
        if (error instanceof RestError && REFUSED.includes(error.statusCode ?? 0)) return "refused";
        throw error;
      }
    },

    renew: async (name) => {
      try {
        const { metadata = {}, etag = "" } = await blob(name).getProperties();
        await blob(name).setMetadata(metadata, { conditions: { ifMatch: etag } });
      } catch (error) {
        if (error instanceof RestError && [404, 412].includes(error.statusCode ?? 0)) return;
        throw error;
      }
    },

    list: async function* (prefix) {
      for await (const { name, properties } of container.listBlobsFlat({ prefix })) {
        const { contentLength: bytes = 0, lastModified: modified, etag } = properties;
        yield { name, bytes, modified, etag: quoted(etag) };
      }
    },

    listFolders: async function* (prefix) {
      for await (const entry of container.listBlobsByHierarchy("/", { prefix }))
        if (entry.kind === "prefix") yield entry.name.slice(0, -1);
    },
  };
};

/** A listing has ETags without the quotes that a condition has. Source: the example answer of List Blobs. */
const quoted = (etag: string): string => (etag.startsWith('"') ? etag : `"${etag}"`);

const downloadOf =
  (blob: BlobClient): OpenDownload =>
  async ({ offset, length, etag }, abortSignal) => {
    const conditions = etag === undefined ? {} : { ifMatch: etag };
    const answer = await blob.download(offset, length, { conditions, abortSignal, maxRetryRequests: 0 });
    if (answer.etag === undefined) throw new Error(`${blob.name}: the answer carries no ETag`);
    return {
      body: answer.readableStreamBody as Readable,
      bytes: answer.contentLength ?? 0,
      etag: answer.etag,
      at: answer.date?.getTime(),
    };
  };

/** Error codes of a conditional write that lost to another writer; the last is that of a write-once container. */
const LOST = ["BlobAlreadyExists", "ConditionNotMet", "BlobImmutableDueToPolicy"];

/**
 * Forbidden; in conflict with an immutability policy, a legal hold or a snapshot of the blob; leased by another client.
 * Source: learn.microsoft.com/rest/api/storageservices/blob-service-error-codes.
 */
const REFUSED = [403, 409, 412];

const created = async (write: Promise<unknown>): Promise<Created> => {
  try {
    await write;
    return "created";
  } catch (error) {
    if (LOST.some((code) => hasCode(error, code))) return "exists";
    throw error;
  }
};

const unlessAbsent = async <T>(read: () => Promise<T>): Promise<T | undefined> => {
  try {
    return await read();
  } catch (error) {
    if (hasCode(error, "BlobNotFound")) return undefined;
    throw error;
  }
};

/** An answer without a body (to HEAD, or of a failed download) has its code in the headers only. */
const hasCode = (error: unknown, code: string): boolean => {
  if (!(error instanceof RestError)) return false;
  const { errorCode } = (error.details ?? {}) as { errorCode?: string };
  return (error.code ?? errorCode) === code;
};

const headers = ({ contentType = "application/octet-stream", metadata }: CreateOptions = {}) => ({
  blobHTTPHeaders: { blobContentType: contentType },
  ...(metadata && { metadata: { ...metadata } }),
});

async function* nothing(): AsyncGenerator<Uint8Array> {}
