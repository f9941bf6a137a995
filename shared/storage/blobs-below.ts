import type { Blobs } from "./blobs.ts";

/** The blobs of a container whose names begin with a prefix, by the rest of their names. */
export const blobsBelow = (blobs: Blobs, prefix: string): Blobs => ({
  create: (name, body, options) => blobs.create(prefix + name, body, options),
  stage: (name, blockId, body) => blobs.stage(prefix + name, blockId, body),
  commit: (name, blockIds, options) => blobs.commit(prefix + name, blockIds, options),
  info: (name) => blobs.info(prefix + name),
  read: (name, range) => blobs.read(prefix + name, range),
  readWhole: (name) => blobs.readWhole(prefix + name),
  replace: (name, body, etag) => blobs.replace(prefix + name, body, etag),
  remove: (name, etag) => blobs.remove(prefix + name, etag),
  renew: (name) => blobs.renew(prefix + name),
  list: async function* (below) {
    for await (const { name, ...blob } of blobs.list(prefix + below))
      yield { name: name.slice(prefix.length), ...blob };
  },
  listFolders: async function* (below) {
    for await (const name of blobs.listFolders(prefix + below)) yield name.slice(prefix.length);
  },
});
