import { type Blobs, type CreateOptions, collect } from "../../../shared/storage/blobs.ts";

interface Stored {
  body: Buffer;
  metadata: Record<string, string>;
  etag: string;
  modified: Date;
}

/**
 * A container in memory with the same contract as the real one, on a clock of its own. Tests that do damage change
 * `blobs`.
 */
export const memoryBlobs = (now: () => number = Date.now): Blobs & { blobs: Map<string, Stored>; writes: string[] } => {
  const blobs = new Map<string, Stored>();
  const staged = new Map<string, Map<string, Buffer>>();
  const writes: string[] = [];
  let version = 0;

  const put = (name: string, body: Uint8Array, metadata: CreateOptions["metadata"] = {}): void => {
    version += 1;
    blobs.set(name, { body: Buffer.from(body), metadata: { ...metadata }, etag: `${version}`, modified: new Date(0) });
    staged.delete(name);
  };
  const names = (prefix: string): string[] => [...blobs.keys()].filter((name) => name.startsWith(prefix)).sort();

  return {
    blobs,
    writes,

    create: async (name, body, options) => {
      writes.push(`create ${name}`);
      if (blobs.has(name)) return "exists";
      put(name, body, options?.metadata);
      return "created";
    },

    stage: async (name, blockId, body) => {
      writes.push(`stage ${name}`);
      const blocks = staged.get(name) ?? new Map<string, Buffer>();
      staged.set(name, blocks.set(blockId, Buffer.from(body)));
      return "created";
    },

    commit: async (name, blockIds, options) => {
      writes.push(`commit ${name}`);
      if (blobs.has(name)) return "exists";
      const blocks = blockIds.map((id) => staged.get(name)?.get(id));
      if (!blocks.every((block) => block !== undefined)) throw new Error(`${name}: a block was never staged`);
      put(name, Buffer.concat(blocks), options?.metadata);
      return "created";
    },

    info: async (name) => {
      const found = blobs.get(name);
      return found && { bytes: found.body.length, metadata: found.metadata };
    },

    read: async (name, range) => {
      const found = blobs.get(name);
      if (found === undefined) return undefined;
      const offset = range?.offset ?? 0;
      return pieces(found.body.subarray(offset, offset + (range?.length ?? found.body.length)));
    },

    readWhole: async (name) => {
      const found = blobs.get(name);
      return found && { body: await collect(pieces(found.body)), etag: found.etag, at: now() };
    },

    replace: async (name, body, etag) => {
      if (blobs.get(name)?.etag !== etag) return false;
      put(name, body);
      return true;
    },

    remove: async (name, etag) => {
      if (etag !== undefined && blobs.has(name) && blobs.get(name)?.etag !== etag) return "refused";
      return blobs.delete(name) ? "removed" : "absent";
    },

    renew: async (name) => {
      const found = blobs.get(name);
      if (found === undefined) return;
      put(name, found.body, found.metadata);
      (blobs.get(name) as Stored).modified = new Date();
    },

    list: async function* (prefix) {
      for (const name of names(prefix)) {
        const { body, modified, etag } = blobs.get(name) as Stored;
        yield { name, bytes: body.length, modified, etag };
      }
    },

    listFolders: async function* (prefix) {
      const deeper = names(prefix).filter((name) => name.includes("/", prefix.length));
      yield* new Set(deeper.map((name) => name.slice(0, name.indexOf("/", prefix.length))));
    },
  };
};

/** Short pieces, so that a reader meets boundaries anywhere. */
async function* pieces(bytes: Buffer): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 1_000) yield bytes.subarray(at, at + 1_000);
}
