import { createReadStream } from "node:fs";
import { mkdir, open, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Blobs, Created } from "../shared/storage/blobs.ts";

/**
 * A folder whose files are the blobs of a container, by name, as `az storage blob download-batch` and azcopy write
 * them. Files are only created: nothing here changes or removes one.
 */
export const directoryBlobs = (root: string): Blobs => {
  const pathOf = (name: string): string => join(root, name);
  const create = async (name: string, body: Uint8Array): Promise<Created> => {
    await mkdir(dirname(pathOf(name)), { recursive: true });
    try {
      await writeFile(pathOf(name), body, { flag: "wx" });
      return "created";
    } catch (error) {
      if (codeOf(error) === "EEXIST") return "exists";
      throw error;
    }
  };

  return {
    create,
    stage: refuse,
    commit: refuse,
    remove: refuse,
    renew: refuse,
    replace: async (name, body, etag) => {
      if (etag !== undefined) return refuse();
      return (await create(name, body)) === "created";
    },

    info: (name) =>
      unlessAbsent(async () => {
        const info = await stat(pathOf(name));
        return info.isFile() ? { bytes: info.size, metadata: {} } : undefined;
      }),

    read: (name, range) =>
      unlessAbsent(async () => {
        if (range?.length === 0) return nothing();
        const file = await open(pathOf(name));
        if (!(await file.stat()).isFile()) return void (await file.close());
        const span = range && { start: range.offset, end: range.offset + range.length - 1 };
        return createReadStream("", { fd: file, ...span }) as AsyncIterable<Uint8Array>;
      }),

    readWhole: (name) => unlessAbsent(async () => ({ body: await readFile(pathOf(name)), etag: "as it is" })),

    list: (prefix) => listFiles(root, "", prefix),

    listFolders: async function* (prefix) {
      const within = prefix.slice(0, prefix.lastIndexOf("/") + 1);
      for (const { name, isFolder } of await entriesOf(join(root, within)))
        if (isFolder && `${within}${name}`.startsWith(prefix)) yield `${within}${name}`;
    },
  };
};

const refuse = (): never => {
  throw new Error("A folder of blobs is only read, or added to");
};

/** Files in the order of their full names. `a/b` comes after `a-b`, so a folder is sorted with its slash. */
async function* listFiles(root: string, within: string, prefix: string): AsyncGenerator<Listed> {
  const sortName = (entry: Entry): string => (entry.isFolder ? `${entry.name}/` : entry.name);
  const entries = (await entriesOf(join(root, within))).toSorted((a, b) => (sortName(a) < sortName(b) ? -1 : 1));
  for (const { name, isFolder } of entries) {
    const path = `${within}${name}`;
    if (isFolder && (`${path}/`.startsWith(prefix) || prefix.startsWith(`${path}/`)))
      yield* listFiles(root, `${path}/`, prefix);
    if (isFolder || !path.startsWith(prefix)) continue;
    const { size, mtime } = await stat(join(root, path));
    yield { name: path, bytes: size, modified: mtime, etag: "as it is" };
  }
}

interface Listed {
  name: string;
  bytes: number;
  modified: Date;
  etag: string;
}

interface Entry {
  readonly name: string;
  readonly isFolder: boolean;
}

const entriesOf = async (folder: string): Promise<Entry[]> => {
  const found = await unlessAbsent(() => readdir(folder, { withFileTypes: true }));
  return (found ?? []).map((entry) => ({ name: entry.name, isFolder: entry.isDirectory() }));
};

/** A name whose parent is a file, or which is that of a folder, counts as absent too. */
const unlessAbsent = async <T>(read: () => Promise<T>): Promise<T | undefined> => {
  try {
    return await read();
  } catch (error) {
    if (["ENOENT", "ENOTDIR", "EISDIR"].includes(codeOf(error))) return undefined;
    throw error;
  }
};

const codeOf = (error: unknown): string => String(Object(error)["code"]);

async function* nothing(): AsyncGenerator<Uint8Array> {}
